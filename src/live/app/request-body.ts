/** Reads a request's body: bounded, and JSON or nothing. */
import type { IncomingMessage } from 'node:http';
import { NAME_LENGTH_MAX } from '../database/items.ts';

export const BODY_BYTES_MAX = 1_100_000;

export type Body =
  | { readonly kind: 'body'; readonly bytes: Buffer }
  | { readonly kind: 'too-large' };

/** Calls back once, unless the request breaks off. What is too large is not read on. */
export function readBody(request: IncomingMessage, then: (body: Body) => void): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  let over = false;
  request.on('data', (chunk: Buffer) => {
    if (over) return;
    bytes += chunk.length;
    if (bytes <= BODY_BYTES_MAX) {
      chunks.push(chunk);
      return;
    }
    over = true;
    request.pause();
    then({ kind: 'too-large' });
  });
  request.on('end', () => {
    if (!over) then({ kind: 'body', bytes: Buffer.concat(chunks) });
  });
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
