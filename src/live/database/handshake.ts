/**
 * The connection phase: greeting (protocol version 10), `mysql_native_password`, and the switch
 * to it for clients that begin with another plugin (MySQL internals, "Connection Phase"). One
 * fixed user, because nothing but loopback can connect.
 *
 *   greeting ──► handshake response ──┬─ our plugin ────────────► checked
 *                                     └─ another: switch request ► scramble ► checked
 *
 * Left out: TLS (a client that insists on it is refused), compression, the old protocol 4.0.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { DATABASE_NAME } from './items.ts';
import { textAt } from './parameters.ts';
import { type Failure, failure, noAccess } from './statements.ts';
import { STATUS_AUTOCOMMIT } from './wire.ts';

export const DATABASE_USER = 'waterhammer';
export const DATABASE_PASSWORD = 'waterhammer';
/** What the embedded database says it is: drivers choose their behaviour by the major version. */
export const SERVER_VERSION = '8.0.0-waterhammer';

const PLUGIN = 'mysql_native_password';
const CLIENT_LONG_PASSWORD = 0x1;
const CLIENT_FOUND_ROWS = 0x2;
const CLIENT_LONG_FLAG = 0x4;
const CLIENT_CONNECT_WITH_DB = 0x8;
const CLIENT_PROTOCOL_41 = 0x200;
const CLIENT_TRANSACTIONS = 0x2000;
const CLIENT_SECURE_CONNECTION = 0x8000;
const CLIENT_PLUGIN_AUTH = 0x80000;
const CLIENT_PLUGIN_AUTH_LENENC = 0x200000;
const CAPABILITIES =
  CLIENT_LONG_PASSWORD |
  CLIENT_FOUND_ROWS |
  CLIENT_LONG_FLAG |
  CLIENT_CONNECT_WITH_DB |
  CLIENT_PROTOCOL_41 |
  CLIENT_TRANSACTIONS |
  CLIENT_SECURE_CONNECTION |
  CLIENT_PLUGIN_AUTH |
  CLIENT_PLUGIN_AUTH_LENENC;
const CHARSET_UTF8MB4 = 45;
/** Capabilities, largest packet, character set, 23 bytes of nothing. */
const FIXED_BYTES = 32;

/** `null` = accepted; `switch` = send the switch request; else the error to send. */
export type HandshakeResult = null | 'switch' | Failure;

const MALFORMED = failure(1_043, '08S01', 'Bad handshake');

interface Response {
  readonly user: string;
  readonly scramble: Buffer;
  readonly database: string | null;
  readonly plugin: string | null;
}

export class Handshake {
  /** 20 printable bytes: the protocol forbids NUL. */
  readonly #salt = Buffer.from(randomBytes(20).map((byte) => (byte % 94) + 33));
  #switchedFrom: Response | null = null;

  greeting(thread: number): Buffer {
    const version = Buffer.from(`\n${SERVER_VERSION}\0`);
    const middle = Buffer.alloc(31);
    middle.writeUInt32LE(thread, 0);
    this.#salt.copy(middle, 4, 0, 8);
    middle.writeUInt16LE(CAPABILITIES & 0xffff, 13);
    middle[15] = CHARSET_UTF8MB4;
    middle.writeUInt16LE(STATUS_AUTOCOMMIT, 16);
    middle.writeUInt16LE(CAPABILITIES >>> 16, 18);
    middle[20] = this.#salt.length + 1;
    return Buffer.concat([version, middle, this.#salt.subarray(8), Buffer.from(`\0${PLUGIN}\0`)]);
  }

  switchRequest(): Buffer {
    return Buffer.concat([Buffer.from(`\xfe${PLUGIN}\0`, 'latin1'), this.#salt, Buffer.from([0])]);
  }

  /** Takes the client's answer to the greeting, or to the switch request. */
  answer(payload: Buffer): HandshakeResult {
    if (this.#switchedFrom !== null) return this.#check(this.#switchedFrom, payload);
    const response = readResponse(payload);
    if (response === null) return MALFORMED;
    if (response.plugin === null || response.plugin === PLUGIN) {
      return this.#check(response, response.scramble);
    }
    this.#switchedFrom = response;
    return 'switch';
  }

  #check({ user, database }: Response, scramble: Buffer): HandshakeResult {
    const stage = sha1(Buffer.from(DATABASE_PASSWORD));
    const mask = sha1(this.#salt, sha1(stage));
    const expected = stage.map((byte, index) => byte ^ (mask[index] ?? 0));
    const proven = scramble.length === expected.length && timingSafeEqual(scramble, expected);
    if (user !== DATABASE_USER || !proven) {
      const password = scramble.length > 0 ? 'YES' : 'NO';
      const text = `Access denied for user '${user}'@'127.0.0.1' (using password: ${password})`;
      return failure(1_045, '28000', text);
    }
    if (database !== null && database !== '' && database !== DATABASE_NAME) {
      return noAccess(database);
    }
    return null;
  }
}

/** Null when it is malformed, or of a protocol that is left out. */
function readResponse(payload: Buffer): Response | null {
  if (payload.length < FIXED_BYTES) return null;
  const capabilities = payload.readUInt32LE(0);
  const has = (flag: number): boolean => (capabilities & flag) !== 0;
  if (!has(CLIENT_PROTOCOL_41) || !has(CLIENT_SECURE_CONNECTION)) return null;
  const userEnd = payload.indexOf(0, FIXED_BYTES);
  if (userEnd === -1) return null;
  // Both forms of the length coincide for the 20 bytes that we ask for.
  const scramble = textAt(payload, userEnd + 1);
  if (scramble === null) return null;
  let at = scramble.end;
  const textToNul = (): string | null => {
    const end = payload.indexOf(0, at);
    if (end === -1) return null;
    const text = payload.toString('utf8', at, end);
    at = end + 1;
    return text;
  };
  const database = has(CLIENT_CONNECT_WITH_DB) ? textToNul() : null;
  return {
    user: payload.toString('utf8', FIXED_BYTES, userEnd).slice(0, 80),
    // The payload is the reader's buffer, and a switch outlives it.
    scramble: Buffer.from(payload.subarray(scramble.start, scramble.end)),
    database: database?.slice(0, 64) ?? null,
    plugin: has(CLIENT_PLUGIN_AUTH) ? textToNul() : null,
  };
}

function sha1(...parts: Buffer[]): Buffer {
  const hash = createHash('sha1');
  for (const part of parts) hash.update(part);
  return hash.digest();
}
