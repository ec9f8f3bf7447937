/** What the app makes of rows and results, and its JSON. */
import { type Item, NAME_LENGTH_MAX } from '../database/items.ts';

const PADDING_FRAME = ',"padding":""}'.length;
/** Answers of a size differ by the digits of their numbers: a few lengths each. */
const PADDINGS_MAX = 64;
const paddings = new Map<number, string>();

/**
 * An item as JSON of exactly `bytes` bytes; longer only where the item itself is. By hand, since
 * JSON.stringify of such an object costs as much as reading the whole request.
 */
export function itemJson({ id, name, price }: Item, bytes: number): string {
  const isPlain = name === null || isPlainText(name);
  const nameJson = name !== null && isPlain ? `"${name}"` : JSON.stringify(name);
  const fields = `{"id":${id},"name":${nameJson},"price":${price}`;
  const size = isPlain ? fields.length : Buffer.byteLength(fields);
  const missing = Math.max(bytes - size - PADDING_FRAME, 0);
  return `${fields},"padding":"${paddingOf(missing)}"}`;
}

/** ASCII that JSON has as it is. */
function isPlainText(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || code > 0x7e || code === 0x22 || code === 0x5c) return false;
  }
  return true;
}

function paddingOf(length: number): string {
  const known = paddings.get(length);
  if (known !== undefined) return known;
  if (paddings.size >= PADDINGS_MAX) paddings.clear();
  const made = '.'.repeat(length);
  paddings.set(length, made);
  return made;
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
