/** The app's JSON: items padded to the size that the topology asks for, and errors. */
import type { ServerResponse } from 'node:http';
import type { Item } from '../database/items.ts';

/** An item as JSON of exactly `bytes` bytes; longer only where the item itself is. */
export function itemJson(item: Item, bytes: number): Buffer {
  const text = JSON.stringify({ ...item, padding: '' });
  const missing = bytes - Buffer.byteLength(text);
  if (missing <= 0) return Buffer.from(text);
  return Buffer.from(`${text.slice(0, -2)}${'.'.repeat(missing)}"}`);
}

export function sendJson(response: ServerResponse, status: number, body: Buffer): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': body.length,
  });
  response.end(body);
}

export function sendError(response: ServerResponse, status: number, error: string): void {
  sendJson(response, status, Buffer.from(JSON.stringify({ error })));
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

/** The id that an insert gave. */
export function insertIdOf(result: unknown): number {
  if (typeof result !== 'object' || result === null) return 0;
  return Number(Reflect.get(result, 'insertId'));
}
