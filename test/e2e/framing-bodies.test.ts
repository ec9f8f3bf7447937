/**
 * Large bodies of random bytes through the whole chain, both ways, to and from peers that stop
 * reading for a while: every byte arrives, and what waits in between is bounded by the chain's
 * buffers, not by the body. Client, server and all five relays are this one process, so its
 * memory is an upper bound of theirs.
 */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import type { Readable, Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { listenOn } from '../../src/live/io/listen-on.ts';
import { type Chain, startChain } from './framing-chain.ts';

const MEGABYTE = 1_000_000;
const BLOCK = randomBytes(MEGABYTE);
/**
 * Five hops with some hundred kB each way, and the two ends' own streams, of pieces of a MB. Half
 * of a large body would be 50.
 */
const WAITING_BYTES_MAX = 8 * MEGABYTE;
/** With what is read and dropped until the collector comes by: still less than a large body. */
const GROWTH_BYTES_MAX = 80 * MEGABYTE;

setFlagsFromString('--expose-gc');
const gc: unknown = runInNewContext('gc');

/** Bytes of buffers that something still refers to, once they have stopped to change. */
async function buffered(): Promise<number> {
  if (typeof gc !== 'function') throw new Error('no garbage collector to call');
  let [before, now] = [Number.NaN, 0];
  for (let times = 0, same = 0; times < 100 && same < 4; times++) {
    // Buffers fill up, and memory is given back in the background after each collection; on a
    // busy machine that rests now and then.
    gc();
    await delay(50);
    before = now;
    now = process.memoryUsage().arrayBuffers;
    same = now === before ? same + 1 : 0;
  }
  return now;
}

/** Piece `index` of a body: the block turned by another amount each time. */
function piece(index: number): Buffer {
  const turn = (index * 7_919) % BLOCK.length;
  return Buffer.concat([BLOCK.subarray(turn), BLOCK.subarray(0, turn)]);
}

function digestOf(megabytes: number): string {
  const hash = createHash('sha256');
  for (let index = 0; index < megabytes; index++) hash.update(piece(index));
  return hash.digest('hex');
}

async function send(megabytes: number, to: Writable): Promise<void> {
  for (let index = 0; index < megabytes; index++) {
    if (!to.write(piece(index))) await once(to, 'drain');
  }
  to.end();
}

/** Reads a little, stops for as long as it takes to fill every buffer, then reads the rest. */
async function receive(from: Readable): Promise<{ digest: string; waiting: number }> {
  const hash = createHash('sha256');
  let read = 0;
  let isHeld = false;
  from.on('data', (chunk: Buffer) => {
    hash.update(chunk);
    read += chunk.length;
    if (read < MEGABYTE || isHeld) return;
    isHeld = true;
    from.pause();
  });
  while (!isHeld) await delay(5);
  await delay(200);
  const waiting = await buffered();
  const done = finished(from);
  from.resume();
  await done;
  return { digest: hash.digest('hex'), waiting };
}

let chain: Chain;
let far: http.Server;
/** What became of the last upload. */
let uploaded: Promise<{ digest: string; waiting: number }>;

beforeAll(async () => {
  far = http.createServer((request, response) => {
    const megabytes = Number(request.headers['x-megabytes']);
    if (request.method === 'POST') {
      uploaded = receive(request);
      uploaded.then(() => response.end('done')).catch(() => response.destroy());
      return;
    }
    if (request.url === '/length') response.setHeader('Content-Length', megabytes * MEGABYTE);
    send(megabytes, response).catch(() => response.destroy());
  });
  const { port } = await listenOn(far, null);
  chain = await startChain(port);
});
afterAll(async () => {
  await chain.stop();
  far.closeAllConnections();
  far.close();
});

async function upload(megabytes: number, framing: http.OutgoingHttpHeaders) {
  const headers = { ...framing, 'x-megabytes': megabytes };
  const request = http.request({ port: chain.port, method: 'POST', headers, agent: false });
  const answered = once(request, 'response');
  await send(megabytes, request);
  const [response]: http.IncomingMessage[] = await answered;
  response?.resume();
  return uploaded;
}

async function download(megabytes: number, path: string) {
  const headers = { 'x-megabytes': megabytes };
  const request = http.request({ port: chain.port, path, headers, agent: false }).end();
  const [response]: http.IncomingMessage[] = await once(request, 'response');
  if (response === undefined) throw new Error('no response');
  return receive(response);
}

const chunked = { 'Transfer-Encoding': 'chunked' };
const byLength = (megabytes: number) => ({ 'Content-Length': megabytes * MEGABYTE });

// The small ones first: what a process allocates once is not the bodies'.
it.each([
  ['up, in chunks', 10, () => upload(10, chunked)],
  ['down, by length', 10, () => download(10, '/length')],
  ['up, by length', 100, () => upload(100, byLength(100))],
  ['down, in chunks', 100, () => download(100, '/chunked')],
] as const)('%s: %d MB', async (_name, megabytes, move) => {
  const before = await buffered();
  const rssBefore = process.memoryUsage().rss;
  let rss = 0;
  const sampling = setInterval(() => {
    rss = Math.max(rss, process.memoryUsage().rss);
  }, 10);
  const { digest, waiting } = await move();
  clearInterval(sampling);
  expect(digest).toBe(digestOf(megabytes));
  expect(waiting - before).toBeLessThan(WAITING_BYTES_MAX);
  expect(rss - rssBefore).toBeLessThan(GROWTH_BYTES_MAX);
});
