/**
 * The columns of a recording's tables, and how values become cells.
 *
 * The columns of a table are an object with one entry per field of its row type, so that a field
 * without a column does not compile. Integers that may pass 2^31 are INT64 (µs, bytes, sequence
 * numbers), small ones INT32, ratios and payloads DOUBLE, names UTF-8 strings (the writer makes
 * dictionaries of repeated ones), so that DuckDB and pandas get proper types. In memory every
 * number is a double: integers are exact to 2^53.
 */
import type { SchemaElement } from 'hyparquet-writer';

type ColumnType = 'int32' | 'int64' | 'double' | 'boolean' | 'string';

type TypeFor<Value> = Value extends number
  ? 'int32' | 'int64' | 'double'
  : Value extends boolean
    ? 'boolean'
    : Value extends string
      ? 'string'
      : never;

export interface Column {
  readonly type: ColumnType;
  readonly nullable: boolean;
  /** For names of a closed set: all of them. */
  readonly values?: readonly string[];
}

interface ColumnFor<Value> {
  readonly type: TypeFor<NonNullable<Value>>;
  readonly nullable: null extends Value ? true : false;
}

/** A name of a closed set (`CloseCause`) must say which there are, so that reading can check. */
type ValuesFor<Value> = [Value] extends [string]
  ? string extends Value
    ? unknown
    : { readonly values: readonly Value[] }
  : unknown;

/** A column for every field of the row type, nullable where the field is. */
export type Columns<Row> = {
  readonly [Name in keyof Row]-?: ColumnFor<Row[Name]> & ValuesFor<NonNullable<Row[Name]>>;
};

/** For table definitions: a column without nulls. */
export function required<Type extends ColumnType>(type: Type): { type: Type; nullable: false } {
  return { type, nullable: false };
}

/** For table definitions: a column with nulls (not known; never 0 in its place). */
export function nullable<Type extends ColumnType>(type: Type): { type: Type; nullable: true } {
  return { type, nullable: true };
}

/** Name and column, in the order of the file. */
export type ColumnEntries = readonly (readonly [name: string, column: Column])[];

const PARQUET_TYPES = {
  int32: { type: 'INT32' },
  int64: { type: 'INT64' },
  double: { type: 'DOUBLE' },
  boolean: { type: 'BOOLEAN' },
  string: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
} as const;

export function schemaOf(entries: ColumnEntries): SchemaElement[] {
  const elements = entries.map(
    ([name, column]): SchemaElement => ({
      name,
      ...PARQUET_TYPES[column.type],
      repetition_type: column.nullable ? 'OPTIONAL' : 'REQUIRED',
    }),
  );
  return [{ name: 'root', num_children: elements.length }, ...elements];
}

export function fromCell(cell: unknown): unknown {
  if (cell === undefined) return null;
  return typeof cell === 'bigint' ? Number(cell) : cell;
}

/** Null stands for what is not known, where the column has that. */
export function holds(column: Column, value: unknown): boolean {
  if (value === null) return column.nullable;
  switch (column.type) {
    case 'int32':
      return typeof value === 'number' && (value | 0) === value;
    case 'int64':
      return Number.isSafeInteger(value);
    case 'double':
      return typeof value === 'number';
    case 'boolean':
      return typeof value === 'boolean';
    case 'string':
      return typeof value === 'string' && column.values?.includes(value) !== false;
  }
}
