/**
 * Methods and request targets (RFC 9112 section 3, RFC 9110 section 9).
 */
import { CHARACTER_CLASS, COLON, DIGIT, equalsIgnoringCase, HOST_VALUE } from './characters.ts';

const COMMON_METHODS = ['GET', 'POST', 'PUT', 'HEAD', 'DELETE', 'PATCH', 'OPTIONS'] as const;

/** The method as a string; common ones without making one. */
export function methodAt(bytes: Buffer, from: number, to: number): string {
  for (const method of COMMON_METHODS) {
    if (method.length !== to - from || bytes[from] !== method.charCodeAt(0)) continue;
    let i = 1;
    while (i < method.length && bytes[from + i] === method.charCodeAt(i)) i += 1;
    if (i === method.length) return method;
  }
  return bytes.toString('latin1', from, to);
}

const SLASH = 0x2f;
const STAR = 0x2a;
const PORT_DIGITS_MAX = 5;
const PORT_MAX = 65_535;

/** origin-form, absolute-form, `*` for OPTIONS, authority-form for CONNECT. */
export function isRequestTarget(method: string, bytes: Buffer, from: number, to: number): boolean {
  const length = to - from;
  if (length === 0) return false;
  if (method === 'CONNECT') return isAuthority(bytes, from, to);
  if (bytes[from] === SLASH) return true;
  if (bytes[from] === STAR) return length === 1 && method === 'OPTIONS';
  return (
    (length > 7 && equalsIgnoringCase(bytes, from, 'http://')) ||
    (length > 8 && equalsIgnoringCase(bytes, from, 'https://'))
  );
}

/** `host:port`, neither of them empty (RFC 9112 section 3.2.3). */
function isAuthority(bytes: Buffer, from: number, to: number): boolean {
  const colon = bytes.lastIndexOf(COLON, to - 1);
  if (colon <= from || to - colon - 1 < 1 || to - colon - 1 > PORT_DIGITS_MAX) return false;
  for (let i = from; i < colon; i++) if (!has(bytes[i]!, HOST_VALUE)) return false;
  for (let i = colon + 1; i < to; i++) if (!has(bytes[i]!, DIGIT)) return false;
  return Number(bytes.toString('latin1', colon + 1, to)) <= PORT_MAX;
}

const ABSOLUTE_FORM = /^https?:\/\/[^/?]*/i;

/**
 * What a target in absolute form asks the server itself for: path and query. A server must accept
 * that form (RFC 9112 section 3.2.2); an empty path is `/` (RFC 9110 section 4.2.3), for OPTIONS
 * `*` (RFC 9112 section 3.2.4). The other forms stay as they are.
 */
export function originForm(method: string, target: string): string {
  if (target.charCodeAt(0) === SLASH) return target;
  const [start] = ABSOLUTE_FORM.exec(target) ?? [];
  if (start === undefined) return target;
  const rest = target.slice(start.length);
  if (rest === '' && method === 'OPTIONS') return '*';
  return rest.startsWith('/') ? rest : `/${rest}`;
}

function has(byte: number, bit: number): boolean {
  return (CHARACTER_CLASS[byte]! & bit) !== 0;
}

/** RFC 9110 section 9.2.2: may be sent again if the connection fails before an answer. */
export function isIdempotent(method: string): boolean {
  switch (method) {
    case 'GET':
    case 'HEAD':
    case 'PUT':
    case 'DELETE':
    case 'OPTIONS':
    case 'TRACE':
      return true;
    default:
      return false;
  }
}
