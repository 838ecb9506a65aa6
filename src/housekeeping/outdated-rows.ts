/** Which rows of a table nobody needs any more. Names of columns and conditions are written into the statement. */
export interface OutdatedRows {
  readonly table: string;
  /** The primary key: one column. */
  readonly key: string;
  /** The time that a row is judged by; an index on it finds the oldest. */
  readonly since: string;
  /** Seconds after that time. */
  readonly keptSeconds: number;
  /** Rows that stay however old they are. */
  readonly unless?: string;
  /**
   * Nobody changes such a row: it need not be locked before it goes, for which an account that may only add to the table
   * and remove from it would lack the right.
   */
  readonly immutable?: boolean;
}

/**
 * The statement that removes the oldest of them: $1 is `keptSeconds`, $2 how many at most. The keys are found first, so
 * that both steps go by an index however large the table is. A row that somebody is changing is left for another time.
 */
export function removalOf({ table, key, since, unless, immutable = false }: OutdatedRows): string {
  const kept = unless === undefined ? '' : ` AND (${unless}) IS NOT TRUE`;
  return `
    DELETE FROM ${table} WHERE ${key} = ANY (ARRAY(
      SELECT ${key} FROM ${table} WHERE ${since} < now() - make_interval(secs => $1)${kept}
       ORDER BY ${since} LIMIT $2 ${immutable ? '' : 'FOR UPDATE SKIP LOCKED'}))`;
}
