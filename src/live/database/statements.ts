/**
 * The SQL that the embedded database understands: the app's select and insert, what sets a
 * session up, and what drivers and command-line clients ask on their own. Each text becomes a
 * `Statement`, once when it is prepared, and is run with its parameters.
 *
 * Everything else fails as it would in MySQL: another table does not exist (1146), an unknown
 * variable (1193), and whatever is left is a syntax error (1064), which is not always MySQL's
 * word for it: joins, expressions and updates are left out, so nothing can be computed here.
 */
import { INT_MAX, type ItemTable, NAME_LENGTH_MAX } from './items.ts';
import { type Column, ColumnType, type Row, type Value } from './wire.ts';

export type Result =
  | { readonly kind: 'rows'; readonly columns: readonly Column[]; readonly rows: readonly Row[] }
  | { readonly kind: 'done'; readonly affectedRows: number; readonly insertId: number }
  | Failure;

export interface Failure {
  readonly kind: 'error';
  readonly code: number;
  readonly state: string;
  readonly message: string;
}

export function failure(code: number, state: string, message: string): Failure {
  return { kind: 'error', code, state, message };
}

/** Another database: our user may not even know whether it is there. */
export function noAccess(database: string): Failure {
  return failure(1_044, '42000', `Access denied to database '${database}'`);
}

/** A literal, or the number of a parameter. */
export type Operand = { readonly value: Value } | { readonly parameter: number };

/** An expression of a select without a table. */
export type Expression = Operand | { readonly variable: string } | { readonly call: SessionCall };
export type SessionCall = 'database' | 'version' | 'user' | 'connection_id';

export type Show = 'variables' | 'status' | 'tables' | 'databases' | 'warnings';

export type StatementKind =
  | { readonly kind: 'select-item'; readonly fields: readonly ItemField[]; readonly id: Operand }
  | { readonly kind: 'insert-item'; readonly name: Operand; readonly price: Operand }
  | { readonly kind: 'select-values'; readonly values: readonly Expression[] }
  | { readonly kind: 'show'; readonly what: Show; readonly like: string | null }
  | { readonly kind: 'nothing' };
export type ItemField = 'id' | 'name' | 'price';

export type Statement = StatementKind & {
  /** Columns of its result; empty when it gives none. */
  readonly columns: readonly Column[];
  /** Number of placeholders. */
  readonly parameters: number;
};

/** What statements can ask of the database and of their session. */
export interface Session {
  readonly items: ItemTable;
  readonly calls: Readonly<Record<SessionCall, Value>>;
  variable(name: string): Value | undefined;
  /** Rows of SHOW VARIABLES and SHOW STATUS. */
  listing(what: 'variables' | 'status'): readonly (readonly [string, string])[];
}

/** True for work on the table: it takes service time, the rest does not. */
export function isWork(statement: Statement): boolean {
  return statement.kind === 'select-item' || statement.kind === 'insert-item';
}

export function run(statement: Statement, parameters: Row, session: Session): Result {
  switch (statement.kind) {
    case 'select-item': {
      const id = operandValue(statement.id, parameters);
      const item = id === null ? null : session.items.find(Number(id));
      const rows = item === null ? [] : [statement.fields.map((field) => item[field])];
      return { kind: 'rows', columns: statement.columns, rows };
    }
    case 'insert-item':
      return insert(
        operandValue(statement.name, parameters),
        operandValue(statement.price, parameters),
        session.items,
      );
    case 'select-values':
      return selectValues(statement.values, statement.columns, parameters, session);
    case 'show': {
      const { like } = statement;
      const rows = showRows(statement.what, session);
      const chosen = like === null ? rows : rows.filter(([name]) => isLike(String(name), like));
      return { kind: 'rows', columns: statement.columns, rows: chosen };
    }
    case 'nothing':
      return { kind: 'done', affectedRows: 0, insertId: 0 };
  }
}

function operandValue(operand: Operand, parameters: Row): Value {
  return 'value' in operand ? operand.value : (parameters[operand.parameter] ?? null);
}

/** As in MySQL's strict mode: what does not fit is refused, a fraction is rounded. */
function insert(name: Value, price: Value, items: ItemTable): Result {
  const text = name === null ? null : String(name);
  if (text !== null && [...text].length > NAME_LENGTH_MAX) {
    return failure(1_406, '22001', "Data too long for column 'name' at row 1");
  }
  const cents = price === null || price === '' ? price : Math.round(Number(price));
  if (cents === '' || Number.isNaN(cents)) {
    return failure(1_366, 'HY000', "Incorrect integer value for column 'price' at row 1");
  }
  if (cents !== null && Math.abs(cents) > INT_MAX) {
    return failure(1_264, '22003', "Out of range value for column 'price' at row 1");
  }
  return { kind: 'done', affectedRows: 1, insertId: items.insert(text, cents) };
}

function selectValues(
  values: readonly Expression[],
  columns: readonly Column[],
  parameters: Row,
  session: Session,
): Result {
  const row: Value[] = [];
  for (const expression of values) {
    if ('call' in expression) row.push(session.calls[expression.call]);
    else if ('variable' in expression) {
      const value = session.variable(expression.variable);
      if (value === undefined) {
        return failure(1_193, 'HY000', `Unknown system variable '${expression.variable}'`);
      }
      row.push(value);
    } else row.push(operandValue(expression, parameters));
  }
  // A parameter or variable shows its type only now; text columns take both.
  const typed = columns.map((column, index) =>
    Number.isSafeInteger(row[index]) ? { name: column.name, type: ColumnType.longlong } : column,
  );
  return { kind: 'rows', columns: typed, rows: [row] };
}

function showRows(what: Show, session: Session): readonly Row[] {
  switch (what) {
    case 'variables':
    case 'status':
      return session.listing(what);
    case 'tables':
      return [['items']];
    case 'databases':
      return [['information_schema'], [session.calls.database]];
    case 'warnings':
      return [];
  }
}

/** LIKE without regard to case: % any characters, _ any one. Takes at most n x m steps. */
export function isLike(text: string, pattern: string): boolean {
  const sought = pattern.toLowerCase();
  const searched = text.toLowerCase();
  let at = 0;
  let star = -1;
  let resume = 0;
  for (let i = 0; i < searched.length; ) {
    const sign = sought[at];
    if (sign === '%') {
      star = at;
      resume = i;
      at += 1;
    } else if (sign === '_' || sign === searched[i]) {
      at += 1;
      i += 1;
    } else if (star >= 0) {
      at = star + 1;
      resume += 1;
      i = resume;
    } else return false;
  }
  return [...sought.slice(at)].every((sign) => sign === '%');
}
