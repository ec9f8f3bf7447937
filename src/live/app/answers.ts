/** What the app makes of rows and results, and its JSON. */
import { type Item, NAME_LENGTH_MAX } from '../database/items.ts';

/** An item as JSON of exactly `bytes` bytes; longer only where the item itself is. */
export function itemJson(item: Item, bytes: number): string {
  const text = JSON.stringify({ ...item, padding: '' });
  const missing = bytes - Buffer.byteLength(text);
  if (missing <= 0) return text;
  return `${text.slice(0, -2)}${paddingOf(missing)}"}`;
}

let padding = '';

/** One string for all answers of a size. */
function paddingOf(length: number): string {
  if (padding.length !== length) padding = '.'.repeat(length);
  return padding;
}

/** The row of a select as an item; null when there is none. */
export function itemOf(rows: unknown): Item | null {
  const row: unknown = Array.isArray(rows) ? rows[0] : null;
  if (typeof row !== 'object' || row === null) return null;
  const field = (name: string): unknown => Reflect.get(row, name);
  const name = field('name');
  const price = field('price');
  return {
    id: Number(field('id')),
    name: name === null ? null : String(name),
    price: price === null ? null : Number(price),
  };
}

/** The id that an insert gave; 0 when there was none. */
export function insertIdOf(result: unknown): number {
  if (typeof result !== 'object' || result === null) return 0;
  const id = Number(Reflect.get(result, 'insertId'));
  return Number.isSafeInteger(id) ? id : 0;
}

/** Name (cut to the column's length) and price of a new item; null when this is no JSON object. */
export function newItemOf(bytes: Buffer): { name: string; price: number } | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(bytes.toString('utf8'));
  } catch {
    return null;
  }
  if (typeof parsed !== 'object' || parsed === null) return null;
  const name: unknown = Reflect.get(parsed, 'name');
  const price: unknown = Reflect.get(parsed, 'price');
  return {
    name: typeof name === 'string' ? name.slice(0, NAME_LENGTH_MAX) : '',
    price: typeof price === 'number' && Number.isSafeInteger(price) ? price : 0,
  };
}
