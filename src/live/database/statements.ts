/**
 * The SQL that the embedded database understands: the app's two statements, and what drivers
 * and command-line clients ask on their own. Anything else is a syntax error, as it would be
 * for a table that is not there.
 */
import { type Column, ColumnType, type Value } from './wire.ts';

export type Result =
  | {
      readonly kind: 'rows';
      readonly columns: readonly Column[];
      readonly rows: readonly (readonly Value[])[];
    }
  | { readonly kind: 'done'; readonly affectedRows: number; readonly inserts: boolean }
  | {
      readonly kind: 'error';
      readonly code: number;
      readonly state: string;
      readonly message: string;
    };

/** What the app sends; real MariaDB gets the same text. */
export const SELECT_ITEM = 'SELECT id, name, price FROM items WHERE id = ?';
export const INSERT_ITEM = 'INSERT INTO items (name, price) VALUES (?, ?)';
export const CREATE_ITEMS =
  'CREATE TABLE IF NOT EXISTS items (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(255), price INT)';
/** Items with ids 1 .. ITEM_COUNT are there from the start. */
export const ITEM_COUNT = 1_000;

const ITEM_COLUMNS: readonly Column[] = [
  { name: 'id', type: ColumnType.long },
  { name: 'name', type: ColumnType.string },
  { name: 'price', type: ColumnType.long },
];

const SELECT =
  /^\s*select\s+id\s*,\s*name\s*,\s*price\s+from\s+items\s+where\s+id\s*=\s*(\?|\d+)\s*;?\s*$/i;
const INSERT = /^\s*insert\s+into\s+items\b/i;
const NOTHING =
  /^\s*(set|begin|commit|rollback|start\s+transaction|use|create\s+table\s+if\s+not\s+exists\s+items)\b/i;
const SESSION = /^\s*select\s+(1|@@[\w.]+|version\(\)|database\(\)|connection_id\(\))/i;
const SHOW = /^\s*show\s/i;

/** Columns that a statement will give, for the reply to PREPARE; null when it cannot be prepared. */
export function columnsOf(sql: string): readonly Column[] | null {
  if (SELECT.test(sql)) return ITEM_COLUMNS;
  if (INSERT.test(sql) || NOTHING.test(sql)) return [];
  const session = SESSION.exec(sql);
  return session === null ? null : [{ name: session[1] ?? '', type: ColumnType.string }];
}

/** `id`: the first parameter of a prepared statement, if it is a number. */
export function executeStatement(sql: string, id: number | null): Result {
  const select = SELECT.exec(sql);
  if (select !== null) {
    const wanted = select[1] === '?' ? (id ?? 0) : Number(select[1]);
    const found = wanted >= 1 && wanted <= ITEM_COUNT;
    const rows = found ? [[wanted, `item ${wanted}`, (wanted * 7_919) % 10_000]] : [];
    return { kind: 'rows', columns: ITEM_COLUMNS, rows };
  }
  if (INSERT.test(sql)) return { kind: 'done', affectedRows: 1, inserts: true };
  if (NOTHING.test(sql)) return { kind: 'done', affectedRows: 0, inserts: false };
  const session = SESSION.exec(sql);
  if (session !== null) {
    const columns = [{ name: session[1] ?? '', type: ColumnType.string }];
    return { kind: 'rows', columns, rows: [['1']] };
  }
  if (SHOW.test(sql)) {
    const columns = [
      { name: 'Variable_name', type: ColumnType.string },
      { name: 'Value', type: ColumnType.string },
    ];
    return { kind: 'rows', columns, rows: [] };
  }
  const message = `You have an error in your SQL syntax near '${sql.slice(0, 80)}'`;
  return { kind: 'error', code: 1_064, state: '42000', message };
}
