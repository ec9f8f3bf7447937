import { expect, it } from 'vitest';
import { HeadParser } from '../http/head-parser.ts';
import { retryAfter } from './retry-after.ts';

const NOON = Date.parse('Mon, 23 Nov 2026 12:00:00 GMT');

function asked(fields: string): number {
  const parser = new HeadParser('response');
  const bytes = Buffer.from(`HTTP/1.1 429 Too Many\r\n${fields}\r\n`, 'latin1');
  parser.feed(bytes, 0, bytes.length);
  expect(parser.done).toBe(true);
  return retryAfter(parser.head, () => NOON);
}

it.each([
  ['', 0],
  ['Retry-After: 120\r\n', 120],
  ['X: y\r\nRETRY-AFTER:   7\t\r\n', 7],
  ['Retry-After: 0\r\n', 0],
  ['Retry-After: 9999999999\r\n', 86_400],
  ['Retry-After: 99999999999999999999\r\n', 0],
  ['Retry-After: -5\r\n', 0],
  ['Retry-After: soon\r\n', 0],
  ['Retry-After: Mon, 23 Nov 2026 12:00:30 GMT\r\n', 30],
  ['Retry-After: Mon, 23 Nov 2026 11:59:00 GMT\r\n', 0],
  ['X-Retry-After: 5\r\n', 0],
])('%j asks for %d s', (fields, seconds) => {
  expect(asked(fields)).toBe(seconds);
});
