/**
 * The native sockets (native/sockets.c), where they were compiled: an epoll set of their own, and
 * one entry into JavaScript for all sockets that are ready. What this saves is node's and libuv's
 * work between a system call and our code, a quarter of the CPU time of a live run
 * (docs/decisions/native-sockets.md).
 *
 *   epoll set ──batch──► ready(count) ──for each──► Watched.ready(events) ──► read, send, ...
 *                                     └─ at its end: what was closed meanwhile hears of it
 *
 * A descriptor's number is used again as soon as it is closed, even within a batch. So each
 * socket has a token, which the events carry: those for an earlier owner of the number are dropped.
 *
 * Not there: another system than Linux, no C compiler as the project was set up, a file for
 * another processor. WATERHAMMER_SOCKETS=handle (or net) turns them off. Then sockets are node's.
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { moment } from '../runtime/moment.ts';
import { READ_BUFFER } from './transport.ts';

/** Each call returns what it says or a negative error number, like libuv's. */
export interface SocketCalls {
  /** A descriptor whose connection is on its way. */
  connect(address: string, port: number, token: number): number;
  /** A descriptor that listens and is not watched yet. */
  listen(address: string, port: number, backlog: number): number;
  watch(listener: number, token: number): number;
  unwatch(listener: number): number;
  accept(listener: number, token: number): number;
  /** Tells what is ready now once more, and from now on (1) when it can be written to as well. */
  again(socket: number, token: number, writing: number): number;
  /** Bytes that were read into READ_BUFFER, 0 at the end. */
  read(socket: number): number;
  /** Bytes of READ_BUFFER that the kernel took. */
  sendInput(socket: number, from: number, length: number): number;
  sendBytes(socket: number, bytes: Uint8Array): number;
  /** Latin1, at most TEXT_MAX characters. */
  sendText(socket: number, text: string): number;
  /** Why it failed, or 0. */
  failure(socket: number): number;
  finish(socket: number): number;
  close(socket: number): number;
  reset(socket: number): number;
  localAddress(socket: number): number;
  remoteAddress(socket: number): number;
}

/** Longer texts are sent as bytes. */
export const TEXT_MAX = 16_384;

/** Events of epoll(7). */
export const READABLE = 0x1;
export const WRITABLE = 0x4;
export const FAILED = 0x8;
export const HUNG_UP = 0x10;
export const PEER_ENDED = 0x2000;

/** Whoever hears of a descriptor. */
export interface Watched {
  readonly token: number;
  ready(events: number): void;
}

interface Addon {
  start(input: Buffer, ready: Int32Array, onReady: (count: number) => void): SocketCalls;
}

/** As BATCH_MAX of native/sockets.c. */
const BATCH_MAX = 64;
const ADDON = 'native/sockets.node';

const watched: (Watched | undefined)[] = [];
const batch = new Int32Array(BATCH_MAX * 3);
let later: (() => void)[] = [];
let inBatch = false;
let lastToken = 0;
/** Since the start. */
let events = 0;

export const nativeSockets: SocketCalls | null = started();

export function nextToken(): number {
  lastToken = (lastToken + 1) | 0;
  return lastToken;
}

/** From now on `who` hears of this descriptor. */
export function hears(socket: number, who: Watched): void {
  watched[socket] = who;
}

export function hearsNoMore(socket: number): void {
  watched[socket] = undefined;
}

/** Calls when nothing of what runs now can still expect to be called first. */
export function afterwards(call: () => void): void {
  if (!inBatch && later.length === 0) setImmediate(runLater);
  later.push(call);
}

/**
 * The same for connections that have failed: before all others, the last first. Of many that are
 * lost together, those that a queue holds should go before those whose slots they would get.
 */
export function firstAfterwards(call: () => void): void {
  if (!inBatch && later.length === 0) setImmediate(runLater);
  later.unshift(call);
}

function started(): SocketCalls | null {
  const wanted = process.env.WATERHAMMER_SOCKETS ?? '';
  if (process.platform !== 'linux' || wanted === 'net' || wanted === 'handle') return null;
  try {
    const require = createRequire(import.meta.url);
    const packageFolder = dirname(require.resolve('waterhammer/package.json'));
    const addon: Addon = require(join(packageFolder, ADDON));
    return addon.start(READ_BUFFER, batch, ready);
  } catch {
    // Not compiled here, or for another system than this one.
    return null;
  }
}

function ready(count: number): void {
  inBatch = true;
  try {
    for (let i = 0; i < 3 * count; i += 3) {
      const who = watched[batch[i]!];
      if (who === undefined || who.token !== batch[i + 1]) continue;
      events += 1;
      moment.number = events;
      who.ready(batch[i + 2]!);
    }
  } finally {
    moment.number = 0;
    inBatch = false;
  }
  if (later.length > 0) runLater();
}

function runLater(): void {
  while (later.length > 0) {
    const calls = later;
    later = [];
    for (const call of calls) call();
  }
}
