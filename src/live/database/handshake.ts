/**
 * The connection phase: greeting, `mysql_native_password`, and the switch to it for clients that
 * begin with another plugin. One fixed user, because nothing but our own loopback connects.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { STATUS_AUTOCOMMIT } from './wire.ts';

export const DATABASE_USER = 'waterhammer';
export const DATABASE_PASSWORD = 'waterhammer';
export const DATABASE_NAME = 'waterhammer';

const PLUGIN = 'mysql_native_password';
const VERSION = '8.0.0-waterhammer';
const CLIENT_CONNECT_WITH_DB = 0x8;
const CLIENT_SECURE_CONNECTION = 0x8000;
const CLIENT_PLUGIN_AUTH = 0x80000;
const CLIENT_PLUGIN_AUTH_LENENC = 0x200000;
/** Long password, found rows, long flag, database, protocol 4.1, transactions, and those above. */
const CAPABILITIES =
  0x1 |
  0x2 |
  0x4 |
  CLIENT_CONNECT_WITH_DB |
  0x200 |
  0x2000 |
  CLIENT_SECURE_CONNECTION |
  CLIENT_PLUGIN_AUTH |
  CLIENT_PLUGIN_AUTH_LENENC;

export type HandshakeResult = 'accepted' | 'denied' | 'malformed' | 'switch';

export class Handshake {
  /** 20 bytes without NUL, as the protocol wants. */
  readonly #salt = Buffer.from(randomBytes(20).map((byte) => (byte % 94) + 33));
  #switched = false;

  greeting(thread: number): Buffer {
    const head = Buffer.alloc(4);
    head.writeUInt32LE(thread);
    const middle = Buffer.alloc(18);
    middle.writeUInt16LE(CAPABILITIES & 0xffff, 0);
    middle[2] = 45;
    middle.writeUInt16LE(STATUS_AUTOCOMMIT, 3);
    middle.writeUInt16LE(CAPABILITIES >>> 16, 5);
    middle[7] = 21;
    return Buffer.concat([
      Buffer.from([10]),
      Buffer.from(`${VERSION}\0`),
      head,
      this.#salt.subarray(0, 8),
      Buffer.from([0]),
      middle,
      this.#salt.subarray(8),
      Buffer.from(`\0${PLUGIN}\0`),
    ]);
  }

  switchRequest(): Buffer {
    return Buffer.concat([Buffer.from(`\xfe${PLUGIN}\0`, 'latin1'), this.#salt, Buffer.from([0])]);
  }

  /** Takes the client's answer to the greeting, or to the switch request. */
  answer(payload: Buffer): HandshakeResult {
    if (this.#switched) return this.#check(payload);
    if (payload.length < 34) return 'malformed';
    const capabilities = payload.readUInt32LE(0);
    const userEnd = payload.indexOf(0, 32);
    if (userEnd === -1) return 'malformed';
    if (payload.toString('utf8', 32, userEnd) !== DATABASE_USER) return 'denied';
    const length = payload[userEnd + 1] ?? 0;
    const from = userEnd + 2;
    if (from + length > payload.length || length > 250) return 'malformed';
    const plugin = pluginOf(payload, from + length, capabilities);
    if (plugin !== null && plugin !== PLUGIN) {
      this.#switched = true;
      return 'switch';
    }
    return this.#check(payload.subarray(from, from + length));
  }

  #check(scramble: Buffer): HandshakeResult {
    const stage = sha1(Buffer.from(DATABASE_PASSWORD));
    const mask = sha1(this.#salt, sha1(stage));
    const expected = stage.map((byte, index) => byte ^ (mask[index] ?? 0));
    if (scramble.length !== expected.length) return 'denied';
    return timingSafeEqual(scramble, expected) ? 'accepted' : 'denied';
  }
}

function pluginOf(payload: Buffer, after: number, capabilities: number): string | null {
  let at = after;
  if ((capabilities & CLIENT_CONNECT_WITH_DB) !== 0) {
    const end = payload.indexOf(0, at);
    if (end === -1) return null;
    at = end + 1;
  }
  if ((capabilities & CLIENT_PLUGIN_AUTH) === 0) return null;
  const end = payload.indexOf(0, at);
  return payload.toString('utf8', at, end === -1 ? payload.length : end);
}

function sha1(...parts: Buffer[]): Buffer {
  const hash = createHash('sha1');
  for (const part of parts) hash.update(part);
  return hash.digest();
}
