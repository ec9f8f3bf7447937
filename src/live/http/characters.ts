/**
 * Character classes of HTTP/1.1 as bits in one table, so that a parser asks one question per
 * byte. Sources: RFC 9110 section 5.6.2 (token), section 5.5 (field-value); RFC 9112 section 3
 * (request-target). A target may hold any visible ASCII character but `#`: browsers send `|`
 * and `{` though RFC 3986 forbids them, and they cannot confuse framing; bytes above 0x7E and
 * fragments are refused.
 */

export const TOKEN = 1;
/** Visible characters, obs-text, space and tab: what a field value may hold. */
export const FIELD_VALUE = 2;
export const TARGET = 4;
export const DIGIT = 8;
export const HEX = 16;
/** What a Host value may hold: reg-name, IP literals and a port (RFC 9110 section 7.2). */
export const HOST_VALUE = 32;

export const TAB = 9;
export const LF = 10;
export const CR = 13;
export const SPACE = 32;
export const COLON = 58;
export const SEMICOLON = 59;

export const CHARACTER_CLASS: Uint8Array = makeTable();

function makeTable(): Uint8Array {
  const table = new Uint8Array(256);
  const mark = (bit: number, characters: string): void => {
    for (let i = 0; i < characters.length; i++) {
      const code = characters.charCodeAt(i);
      table[code] = (table[code] ?? 0) | bit;
    }
  };
  const lower = 'abcdefghijklmnopqrstuvwxyz';
  const digits = '0123456789';
  const alphanumeric = `${lower}${lower.toUpperCase()}${digits}`;
  mark(TOKEN, alphanumeric);
  mark(TOKEN, "!#$%&'*+-.^_`|~");
  mark(HOST_VALUE, alphanumeric);
  mark(HOST_VALUE, "-._~%!$&'()*+;=:[]");
  mark(DIGIT, digits);
  mark(HEX, `${digits}abcdefABCDEF`);
  for (let code = 0x21; code <= 0x7e; code++) {
    table[code] = (table[code] ?? 0) | TARGET | FIELD_VALUE;
  }
  table[0x23] = (table[0x23] ?? 0) & ~TARGET;
  for (let code = 0x80; code <= 0xff; code++) table[code] = FIELD_VALUE;
  mark(FIELD_VALUE, ' \t');
  return table;
}

/** Whether bytes at `at` are `lower` (ASCII, lower case) in any case. The caller checks lengths. */
export function equalsIgnoringCase(bytes: Uint8Array, at: number, lower: string): boolean {
  for (let i = 0; i < lower.length; i++) {
    const byte = bytes[at + i]!;
    const folded = byte >= 65 && byte <= 90 ? byte + 32 : byte;
    if (folded !== lower.charCodeAt(i)) return false;
  }
  return true;
}

/** Writes ASCII; for a few dozen characters, where Buffer.write costs more than they do. */
export function writeText(target: Uint8Array, at: number, text: string): void {
  for (let i = 0; i < text.length; i++) target[at + i] = text.charCodeAt(i);
}
