import type { ObjectLiteral, SelectQueryBuilder } from 'typeorm';

/** Rows that are counted one by one. */
const MOST_COUNTED = 10_000;
/** An estimate is never so far off that there could be fewer than that after all. */
const FAR_MORE = 5 * MOST_COUNTED;

/**
 * How many rows a query finds: exactly up to ten thousand, by PostgreSQL's own estimate where there are more, so that
 * the answer costs the same however many there are.
 */
export async function countAbout(query: SelectQueryBuilder<ObjectLiteral>): Promise<number> {
  const [text, parameters] = query.getQueryAndParameters();
  const [explained] = await query.dataSource.query<[{ 'QUERY PLAN': [{ Plan: { 'Plan Rows': number } }] }]>(
    `EXPLAIN (FORMAT JSON) ${text}`,
    parameters,
  );
  const estimate = explained['QUERY PLAN'][0].Plan['Plan Rows'];
  if (estimate > FAR_MORE) return estimate;
  const [counted] = await query.dataSource.query<[{ rows: number }]>(
    `SELECT count(*)::int AS rows FROM (${text} LIMIT ${MOST_COUNTED + 1}) AS found`,
    parameters,
  );
  return counted.rows > MOST_COUNTED ? Math.max(estimate, counted.rows) : counted.rows;
}
