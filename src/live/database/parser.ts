/**
 * Reads one statement by recursive descent. It knows a handful of forms (statements.ts lists
 * them) and gives up at the first token that fits none, with MySQL's message.
 */
import { DATABASE_NAME } from './items.ts';
import {
  type Expression,
  type Failure,
  failure,
  type ItemField,
  noAccess,
  type Operand,
  type SessionCall,
  type Show,
  type Statement,
  type StatementKind,
} from './statements.ts';
import { type Token, tokensOf } from './tokens.ts';
import { type Column, ColumnType } from './wire.ts';

const ITEM_COLUMNS: Readonly<Record<ItemField, Column>> = {
  id: { name: 'id', type: ColumnType.long },
  name: { name: 'name', type: ColumnType.string },
  price: { name: 'price', type: ColumnType.long },
};
const ITEM_FIELDS: readonly ItemField[] = ['id', 'name', 'price'];
const NO_COLUMNS: readonly Column[] = [];

/** Statements that change nothing here; what follows their first word is not looked at. */
const WITHOUT_EFFECT = new Set(['set', 'begin', 'start', 'commit', 'rollback']);

const CALLS: Readonly<Record<string, SessionCall>> = {
  database: 'database',
  schema: 'database',
  version: 'version',
  user: 'user',
  current_user: 'user',
  connection_id: 'connection_id',
};

const SHOWS: Readonly<Record<Show, readonly string[]>> = {
  variables: ['Variable_name', 'Value'],
  status: ['Variable_name', 'Value'],
  tables: [`Tables_in_${DATABASE_NAME}`],
  databases: ['Database'],
  warnings: ['Level', 'Code', 'Message'],
};

class Unexpected extends Error {
  readonly failure: Failure;

  constructor(why: Failure) {
    super(why.message);
    this.failure = why;
  }
}

export function parseStatement(sql: string): Statement | Failure {
  const tokens = tokensOf(sql);
  if (tokens === null) return failure(1_064, '42000', 'The statement is too long for this server');
  if (tokens.length === 0) return failure(1_065, '42000', 'Query was empty');
  const parser = new Parser(sql, tokens);
  try {
    return parser.statement();
  } catch (error) {
    if (error instanceof Unexpected) return error.failure;
    throw error;
  }
}

class Parser {
  readonly #sql: string;
  readonly #tokens: readonly Token[];
  #next = 0;
  #parameters = 0;

  constructor(sql: string, tokens: readonly Token[]) {
    this.#sql = sql;
    this.#tokens = tokens;
  }

  statement(): Statement {
    const first = this.#word();
    const [kind, columns] = this.#afterFirst(first);
    if (kind.kind !== 'nothing') this.#end();
    return { ...kind, columns, parameters: this.#parameters };
  }

  #afterFirst(first: string): [StatementKind, readonly Column[]] {
    if (first === 'select') return this.#select();
    if (first === 'insert') return [this.#insert(), NO_COLUMNS];
    if (first === 'show') return this.#show();
    if (first === 'use') this.#use();
    else if (first === 'create') this.#create();
    else if (!WITHOUT_EFFECT.has(first)) this.#fail(0);
    return [{ kind: 'nothing' }, NO_COLUMNS];
  }

  #select(): [StatementKind, readonly Column[]] {
    const fields = this.#itemFields();
    if (fields !== null) {
      this.#table();
      this.#expect('where');
      if (this.#word() !== 'id') this.#fail(this.#next - 1);
      this.#expect('=');
      const id = this.#operand();
      this.#limit();
      return [{ kind: 'select-item', fields, id }, fields.map((field) => ITEM_COLUMNS[field])];
    }
    const values: Expression[] = [];
    const columns: Column[] = [];
    do {
      const from = this.#peek()?.at ?? this.#sql.length;
      const value = this.#expression();
      const text = this.#sql.slice(from, this.#peek()?.at ?? this.#sql.length).trim();
      const name = this.#accept('as') ? this.#name() : text;
      values.push(value);
      const number = 'value' in value && Number.isSafeInteger(value.value);
      columns.push({ name, type: number ? ColumnType.longlong : ColumnType.string });
    } while (this.#accept(','));
    this.#limit();
    return [{ kind: 'select-values', values }, columns];
  }

  /** Fields of a select from a table; null (and nothing read) where there is no FROM. */
  #itemFields(): readonly ItemField[] | null {
    const start = this.#next;
    const from = this.#tokens.findIndex((token) => isWord(token, 'from'));
    if (from === -1) return null;
    const table = this.#tokens[from + 1];
    const qualified = this.#tokens[from + 2]?.text === '.' ? this.#tokens[from + 3] : table;
    if (qualified !== undefined && !isWord(qualified, 'items')) {
      const message = `Table '${DATABASE_NAME}.${qualified.text}' doesn't exist`;
      throw new Unexpected(failure(1_146, '42S02', message));
    }
    if (this.#accept('*')) return ITEM_FIELDS;
    this.#next = start;
    const fields: ItemField[] = [];
    do {
      const name = this.#word();
      const field = ITEM_FIELDS.find((candidate) => candidate === name);
      if (field === undefined) {
        const message = `Unknown column '${name}' in 'field list'`;
        throw new Unexpected(failure(1_054, '42S22', message));
      }
      fields.push(field);
    } while (this.#accept(','));
    return fields;
  }

  #table(): void {
    this.#expect('from');
    if (this.#accept(DATABASE_NAME)) this.#expect('.');
    this.#expect('items');
  }

  #insert(): StatementKind {
    this.#expect('into');
    const table = this.#name();
    if (table.toLowerCase() !== 'items') {
      const message = `Table '${DATABASE_NAME}.${table}' doesn't exist`;
      throw new Unexpected(failure(1_146, '42S02', message));
    }
    for (const part of ['(', 'name', ',', 'price', ')', 'values', '(']) this.#expect(part);
    const name = this.#operand();
    this.#expect(',');
    const price = this.#operand();
    this.#expect(')');
    return { kind: 'insert-item', name, price };
  }

  #show(): [StatementKind, readonly Column[]] {
    let word = this.#word();
    if (word === 'session' || word === 'global') word = this.#word();
    const what = Object.keys(SHOWS).find((show): show is Show => show === word);
    if (what === undefined) return this.#fail(this.#next - 1);
    const like = this.#accept('like') ? this.#string() : null;
    const columns = SHOWS[what].map((name) => ({ name, type: ColumnType.string }));
    return [{ kind: 'show', what, like }, columns];
  }

  #use(): void {
    const name = this.#name();
    if (name !== DATABASE_NAME) {
      throw new Unexpected(noAccess(name));
    }
  }

  /** The app's table is there already: only its own CREATE is accepted. */
  #create(): void {
    for (const part of ['table', 'if', 'not', 'exists', 'items']) this.#expect(part);
  }

  #expression(): Expression {
    const token = this.#peek();
    if (token?.kind === 'variable') {
      this.#next += 1;
      return { variable: token.text.toLowerCase() };
    }
    const call = token?.kind === 'word' ? CALLS[token.text.toLowerCase()] : undefined;
    if (call === undefined) return this.#operand();
    this.#next += 1;
    if (this.#accept('(')) this.#expect(')');
    return { call };
  }

  #operand(): Operand {
    if (this.#accept('?')) {
      this.#parameters += 1;
      return { parameter: this.#parameters - 1 };
    }
    if (this.#accept('null')) return { value: null };
    const sign = this.#accept('-') ? -1 : 1;
    const token = this.#peek();
    if (token?.kind === 'number') {
      this.#next += 1;
      return { value: sign * Number(token.text) };
    }
    if (sign === -1 || token?.kind !== 'string') return this.#fail(this.#next);
    this.#next += 1;
    return { value: token.text };
  }

  #limit(): void {
    if (this.#accept('limit') && this.#peek()?.kind === 'number') this.#next += 1;
  }

  #end(): void {
    this.#accept(';');
    if (this.#next < this.#tokens.length) this.#fail(this.#next);
  }

  #peek(): Token | undefined {
    return this.#tokens[this.#next];
  }

  #accept(text: string): boolean {
    const token = this.#peek();
    if (token === undefined) return false;
    const found = token.kind === 'sign' ? token.text === text : isWord(token, text);
    if (found) this.#next += 1;
    return found;
  }

  #expect(text: string): void {
    if (!this.#accept(text)) this.#fail(this.#next);
  }

  #word(): string {
    return this.#name().toLowerCase();
  }

  #name(): string {
    const token = this.#peek();
    if (token?.kind !== 'word') return this.#fail(this.#next);
    this.#next += 1;
    return token.text;
  }

  #string(): string {
    const token = this.#peek();
    if (token?.kind !== 'string') return this.#fail(this.#next);
    this.#next += 1;
    return token.text;
  }

  #fail(index: number): never {
    const near = this.#sql.slice(this.#tokens[index]?.at ?? this.#sql.length).slice(0, 80);
    const message =
      'You have an error in your SQL syntax; this server knows few statements; ' +
      `the right syntax to use near '${near}'`;
    throw new Unexpected(failure(1_064, '42000', message));
  }
}

function isWord(token: Token, word: string): boolean {
  return token.kind === 'word' && token.text.toLowerCase() === word;
}
