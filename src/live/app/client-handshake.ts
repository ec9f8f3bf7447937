/**
 * The client's side of the connection phase: reads the server's greeting and answers it with
 * `mysql_native_password` (MySQL internals, "Connection Phase"), which MariaDB and our embedded
 * database use. Other methods (`caching_sha2_password` needs TLS or RSA) are left to mysql2.
 */
import { createHash } from 'node:crypto';
import type { Credentials } from './database-session.ts';

const PLUGIN = 'mysql_native_password';
const SALT_BYTES = 20;
const PACKET_BYTES_MAX = 16_777_215;
const CHARSET_UTF8MB4 = 45;

/** LONG_PASSWORD, CONNECT_WITH_DB, PROTOCOL_41, TRANSACTIONS, SECURE_CONNECTION, PLUGIN_AUTH. */
const CAPABILITIES = 0x1 | 0x8 | 0x200 | 0x2000 | 0x8000 | 0x80000;

/** The payload that answers a greeting; null when it is none that we understand. */
export function answerGreeting(greeting: Buffer, credentials: Credentials): Buffer | null {
  if (greeting[0] !== 10) return null;
  const version = greeting.indexOf(0, 1);
  // Behind the version: thread (4), salt (8), 0, capabilities (2), character set, status (2),
  // capabilities (2), length of the salt, 10 bytes of nothing, the rest of the salt.
  const saltAt = version + 5;
  const restAt = saltAt + 8 + 19;
  if (version < 0 || greeting.length < restAt + SALT_BYTES - 8) return null;
  const salt = Buffer.concat([
    greeting.subarray(saltAt, saltAt + 8),
    greeting.subarray(restAt, restAt + SALT_BYTES - 8),
  ]);
  const head = Buffer.alloc(32);
  head.writeUInt32LE(CAPABILITIES, 0);
  head.writeUInt32LE(PACKET_BYTES_MAX, 4);
  head[8] = CHARSET_UTF8MB4;
  const scramble = scrambled(credentials.password, salt);
  return Buffer.concat([
    head,
    Buffer.from(`${credentials.user}\0`),
    Buffer.from([scramble.length]),
    scramble,
    Buffer.from(`${credentials.database}\0${PLUGIN}\0`),
  ]);
}

/** The payload that answers a switch to another method; null when we do not have it. */
export function answerSwitch(request: Buffer, credentials: Credentials): Buffer | null {
  const end = request.indexOf(0, 1);
  if (end < 0 || request.toString('latin1', 1, end) !== PLUGIN) return null;
  const salt = request.subarray(end + 1, end + 1 + SALT_BYTES);
  return salt.length < SALT_BYTES ? null : scrambled(credentials.password, salt);
}

/** SHA1(password) XOR SHA1(salt + SHA1(SHA1(password))); nothing for an empty password. */
function scrambled(password: string, salt: Buffer): Buffer {
  if (password === '') return Buffer.alloc(0);
  const stage = sha1(Buffer.from(password));
  const mask = sha1(salt, sha1(stage));
  return Buffer.from(stage.map((byte, index) => byte ^ (mask[index] ?? 0)));
}

function sha1(...parts: Buffer[]): Buffer {
  const hash = createHash('sha1');
  for (const part of parts) hash.update(part);
  return hash.digest();
}
