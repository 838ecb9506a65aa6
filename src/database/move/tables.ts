import type { DataSource } from 'typeorm';

/** A table as it is copied and compared. Names are quoted for statements. */
export interface Table {
  /** For people. */
  readonly name: string;
  readonly quoted: string;
  /** In the order of the target. */
  readonly columns: readonly string[];
  readonly key: readonly KeyColumn[];
  /** Columns whose values the database counts up. */
  readonly counted: readonly string[];
}

interface KeyColumn {
  readonly quoted: string;
  /** Texts are sorted by their bytes: two databases may have two ideas of the alphabet. */
  readonly isText: boolean;
}

interface Row {
  readonly name: string;
  readonly quoted: string;
  readonly columns: string[];
  readonly key: KeyColumn[] | null;
  readonly counted: string[] | null;
  readonly parents: string[] | null;
}

/** TypeORM's own list: both databases have run their migrations themselves. */
const NOT_DATA = 'migrations';

const TABLES = `
  SELECT t.relname AS name, quote_ident(t.relname) AS quoted,
         (SELECT array_agg(quote_ident(attname) ORDER BY attnum)
            FROM pg_attribute WHERE attrelid = t.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '') AS columns,
         (SELECT json_agg(json_build_object('quoted', quote_ident(a.attname), 'isText', a.attcollation <> 0) ORDER BY array_position(i.indkey::int[], a.attnum::int))
            FROM pg_index i JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = ANY (i.indkey) WHERE i.indrelid = t.oid AND i.indisprimary) AS key,
         (SELECT array_agg(attname::text) FROM pg_attribute
           WHERE attrelid = t.oid AND attnum > 0 AND NOT attisdropped AND pg_get_serial_sequence(quote_ident(t.relname), attname) IS NOT NULL) AS counted,
         (SELECT array_agg(DISTINCT p.relname::text) FROM pg_constraint f JOIN pg_class p ON p.oid = f.confrelid
           WHERE f.conrelid = t.oid AND f.contype = 'f' AND f.confrelid <> t.oid) AS parents
    FROM pg_class t WHERE t.relkind IN ('r', 'p') AND NOT t.relispartition AND t.relnamespace = current_schema()::regnamespace AND t.relname <> $1
   ORDER BY t.relname`;

/** The tables of a database, those that others refer to first. */
export async function findTables(dataSource: DataSource): Promise<Table[]> {
  const rows = await dataSource.query<Row[]>(TABLES, [NOT_DATA]);
  const ordered: Table[] = [];
  const done = new Set<string>();
  while (done.size < rows.length) {
    const left = rows.filter(({ name }) => !done.has(name));
    const free = left.filter(({ parents }) => (parents ?? []).every((parent) => done.has(parent)));
    // Tables that refer to each other are a product's own, which are not copied.
    const next = free.length > 0 ? free : left;
    for (const { name, quoted, columns, key, counted } of next) {
      done.add(name);
      ordered.push({ name, quoted, columns, key: key ?? [], counted: counted ?? [] });
    }
  }
  return ordered;
}
