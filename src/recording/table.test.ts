import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { asyncBufferFromFile, parquetMetadataAsync } from 'hyparquet';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Columns, nullable, required } from './columns.ts';
import { readTable } from './table-reader.ts';
import { TableWriter } from './table-writer.ts';

interface Row {
  readonly at: number;
  readonly small: number;
  readonly ratio: number;
  readonly on: boolean;
  readonly name: string;
  readonly atOrNull: number | null;
  readonly smallOrNull: number | null;
  readonly ratioOrNull: number | null;
  readonly onOrNull: boolean | null;
  readonly nameOrNull: string | null;
}

const COLUMNS: Columns<Row> = {
  at: required('int64'),
  small: required('int32'),
  ratio: required('double'),
  on: required('boolean'),
  name: required('string'),
  atOrNull: nullable('int64'),
  smallOrNull: nullable('int32'),
  ratioOrNull: nullable('double'),
  onOrNull: nullable('boolean'),
  nameOrNull: nullable('string'),
};

const positiveZero = (value: number): number => (value === 0 ? 0 : value);
const safe = fc.maxSafeInteger();
const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const double = fc.double({ noNaN: true }).map(positiveZero);
const text = fc.string({ unit: 'grapheme' });
const orNull = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(one, { nil: null });
const rowArbitrary: fc.Arbitrary<Row> = fc.record(
  {
    at: safe,
    small: int32,
    ratio: double,
    on: fc.boolean(),
    name: text,
    atOrNull: orNull(safe),
    smallOrNull: orNull(int32),
    ratioOrNull: orNull(double),
    onOrNull: orNull(fc.boolean()),
    nameOrNull: orNull(text),
  },
  { noNullPrototype: true },
);

const EXAMPLE: Row = {
  at: 2 ** 53 - 1,
  small: -1,
  ratio: 0.5,
  on: true,
  name: 'apigw->nlb',
  atOrNull: null,
  smallOrNull: null,
  ratioOrNull: null,
  onOrNull: null,
  nameOrNull: null,
};

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'waterhammer-table-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(path: string, rows: readonly Row[], rowGroupRows: number): void {
  const writer = new TableWriter(path, COLUMNS, { rowGroupRows });
  for (const row of rows) writer.write(row);
  writer.finish();
  expect(writer.rows).toBe(rows.length);
}

async function readBatches(path: string): Promise<Row[][]> {
  const batches: Row[][] = [];
  for await (const batch of readTable(path, COLUMNS)) batches.push([...batch]);
  return batches;
}

describe('table', () => {
  it('gives back the rows that were written, in row groups of bounded size', async () => {
    let file = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(rowArbitrary, { maxLength: 40 }),
        fc.integer({ min: 1, max: 20 }),
        async (rows, rowGroupRows) => {
          file += 1;
          const path = join(folder, `table-${file}.parquet`);
          write(path, rows, rowGroupRows);
          const batches = await readBatches(path);
          expect(batches.flat()).toEqual(rows);
          expect(batches.length).toBe(Math.ceil(rows.length / rowGroupRows));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('has the column types that other programs expect', async () => {
    const path = join(folder, 'types.parquet');
    write(path, [EXAMPLE], 10);
    const metadata = await parquetMetadataAsync(await asyncBufferFromFile(path));
    const types = metadata.schema
      .slice(1)
      .map((one) => [one.name, one.type, one.converted_type ?? null, one.repetition_type]);
    expect(types.slice(0, 6)).toEqual([
      ['at', 'INT64', null, 'REQUIRED'],
      ['small', 'INT32', null, 'REQUIRED'],
      ['ratio', 'DOUBLE', null, 'REQUIRED'],
      ['on', 'BOOLEAN', null, 'REQUIRED'],
      ['name', 'BYTE_ARRAY', 'UTF8', 'REQUIRED'],
      ['atOrNull', 'INT64', null, 'OPTIONAL'],
    ]);
  });

  it('encodes repeated names by a dictionary', async () => {
    const path = join(folder, 'names.parquet');
    write(path, new Array<Row>(2_000).fill(EXAMPLE), 5_000);
    const metadata = await parquetMetadataAsync(await asyncBufferFromFile(path));
    const name = metadata.row_groups[0]?.columns.find(
      (column) => column.meta_data?.path_in_schema[0] === 'name',
    );
    expect(name?.meta_data?.encodings).toContain('RLE_DICTIONARY');
    expect(readFileSync(path).length).toBeLessThan(2_000 * 10);
  });

  it('has its name only when it is complete', () => {
    const path = join(folder, 'late.parquet');
    const writer = new TableWriter(path, COLUMNS, { rowGroupRows: 1 });
    writer.write(EXAMPLE);
    expect(existsSync(path)).toBe(false);
    writer.finish();
    expect(existsSync(path)).toBe(true);
    const abandoned = new TableWriter(join(folder, 'never.parquet'), COLUMNS);
    abandoned.abandon();
    expect(existsSync(join(folder, 'never.parquet.partial'))).toBe(false);
  });

  it('refuses a value that its column cannot hold, and goes on without it', async () => {
    const path = join(folder, 'bad.parquet');
    const writer = new TableWriter(path, COLUMNS);
    writer.write(EXAMPLE);
    expect(() => writer.write({ ...EXAMPLE, at: 0.5 })).toThrow(/column at .* cannot hold 0.5/);
    expect(() => writer.write({ ...EXAMPLE, small: 2 ** 31 })).toThrow(RangeError);
    expect(() => writer.write({ ...EXAMPLE, at: Number.NaN })).toThrow(RangeError);
    expect(() => writer.write({ ...EXAMPLE, ratio: Number.NaN })).not.toThrow();
    writer.finish();
    expect(await readBatches(path)).toEqual([[EXAMPLE, { ...EXAMPLE, ratio: Number.NaN }]]);
  });

  it('says which file cannot be written or read', async () => {
    const nowhere = join(folder, 'missing', 'x.parquet');
    expect(() => new TableWriter(nowhere, COLUMNS)).toThrow(
      expect.objectContaining({ code: 'recording-write-failed' }),
    );
    const noise = join(folder, 'noise.parquet');
    writeFileSync(noise, 'PAR1 and so on');
    await expect(readBatches(noise)).rejects.toMatchObject({ code: 'recording-unreadable' });
    await expect(readBatches(nowhere)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('refuses a table of other columns, and one that was cut off or damaged', async () => {
    const path = join(folder, 'other.parquet');
    const other = new TableWriter<{ at: string }>(path, { at: required('string') });
    other.write({ at: 'x' });
    other.finish();
    await expect(readBatches(path)).rejects.toMatchObject({ code: 'recording-unreadable' });

    const good = join(folder, 'good.parquet');
    write(good, new Array<Row>(20).fill(EXAMPLE), 7);
    const whole = readFileSync(good);
    const cut = join(folder, 'cut.parquet');
    for (let length = 0; length < whole.length; length += 37) {
      writeFileSync(cut, whole.subarray(0, length));
      await expect(readBatches(cut)).rejects.toMatchObject({ code: 'recording-unreadable' });
    }
  });
});
