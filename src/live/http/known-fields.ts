/**
 * The header fields that decide framing, persistence or tracing. Everything else is opaque.
 *
 * Hop-by-hop fields are those of RFC 9110 section 7.6.1 and the Proxy-* credentials (section
 * 11.7, consumed by the first proxy, which we are). Transfer-Encoding is not among them here:
 * chunked bodies pass through as they are; nor is Trailer, which belongs to that body.
 */
import { CHARACTER_CLASS, DIGIT, equalsIgnoringCase } from './characters.ts';

export const field = {
  other: 0,
  host: 1,
  contentLength: 2,
  transferEncoding: 3,
  connection: 4,
  keepAlive: 5,
  proxyConnection: 6,
  proxyAuthenticate: 7,
  proxyAuthorization: 8,
  te: 9,
  upgrade: 10,
  expect: 11,
  traceparent: 12,
} as const;

const NAMES: readonly (readonly [string, number])[] = [
  ['host', field.host],
  ['content-length', field.contentLength],
  ['transfer-encoding', field.transferEncoding],
  ['connection', field.connection],
  ['keep-alive', field.keepAlive],
  ['proxy-connection', field.proxyConnection],
  ['proxy-authenticate', field.proxyAuthenticate],
  ['proxy-authorization', field.proxyAuthorization],
  ['te', field.te],
  ['upgrade', field.upgrade],
  ['expect', field.expect],
  ['traceparent', field.traceparent],
];

interface KnownName {
  readonly name: string;
  readonly first: number;
  readonly id: number;
}

/** Names by length: most fields are ruled out by it and their first letter. */
const BY_LENGTH: readonly (readonly KnownName[])[] = Array.from({ length: 20 }, (_, length) =>
  NAMES.filter(([name]) => name.length === length).map(([name, id]) => {
    return { name, first: name.charCodeAt(0), id };
  }),
);

const TO_LOWER = 0x20;

export function knownField(bytes: Uint8Array, at: number, length: number): number {
  if (length >= BY_LENGTH.length) return field.other;
  const candidates = BY_LENGTH[length]!;
  for (let i = 0; i < candidates.length; i++) {
    const { name, first, id } = candidates[i]!;
    if ((bytes[at]! | TO_LOWER) === first && equalsIgnoringCase(bytes, at, name)) return id;
  }
  return field.other;
}

export function isHopByHop(id: number): boolean {
  return id >= field.connection && id <= field.upgrade;
}

/** Fields that Connection may not name: dropping them would change what the message is. */
export function isProtected(id: number): boolean {
  return id >= field.host && id <= field.transferEncoding;
}

/** Digits that still make an exact integer. */
const LENGTH_DIGITS_MAX = 15;

/** The value of a Content-Length field, or -1 if it is not 1 to 15 digits and nothing else. */
export function contentLengthOf(bytes: Uint8Array, from: number, to: number): number {
  if (to === from || to - from > LENGTH_DIGITS_MAX) return -1;
  let length = 0;
  for (let i = from; i < to; i++) {
    const byte = bytes[i]!;
    if ((CHARACTER_CLASS[byte]! & DIGIT) === 0) return -1;
    length = length * 10 + (byte - 48);
  }
  return length;
}

/** The options of a Connection field, or another list of tokens, in lower case. */
export function connectionOptions(value: string): readonly string[] {
  const lower = value.toLowerCase();
  if (lower === 'close' || lower === 'keep-alive') return [lower];
  return lower
    .split(',')
    .map((option) => option.trim())
    .filter((option) => option !== '');
}
