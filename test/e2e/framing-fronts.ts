/**
 * What the framing tests share: three servers that read the same bytes — our relay, real nginx
 * and node:http (llhttp) — each with a node:http upstream behind it (node is its own) that says
 * what it understood; and a client that sends bytes as they are.
 *
 * All three have the same limits for slow requests, longer than a busy machine stands still.
 */
import { once } from 'node:events';
import http from 'node:http';
import type { Socket } from 'node:net';
import { startNginx } from '../../src/live/foreign/nginx.ts';
import { foreignContext } from '../../src/live/foreign/test-plan.ts';
import { createWebServer } from '../../src/live/hops/web-server.ts';
import { BodyFramer } from '../../src/live/http/body-framer.ts';
import { HeadParser } from '../../src/live/http/head-parser.ts';
import { plainWebServer, type RunningHop, startHop } from '../../src/live/test-http.case.ts';
import { testLinks } from '../../src/live/test-support.ts';
import { dial } from '../../src/live/test-wire.case.ts';
import type { Endpoint } from '../../src/model/run.ts';

/** One request as somebody understood it. */
export interface Understood {
  readonly method: string;
  readonly target: string;
  readonly body: string;
}

export interface Front {
  readonly name: 'ours' | 'nginx' | 'node';
  readonly port: number;
  /** Requests that reached the upstream, in order. */
  readonly seen: Understood[];
  /** Every byte that reached the upstream. */
  readonly wire: { bytes: string };
  stop(): Promise<unknown>;
}

const TIMEOUT_MS = 5_000;

/** What a client got before its connection ended. */
export interface Got {
  readonly statuses: readonly number[];
  readonly text: string;
}

/** After an error nginx may linger for seconds; what else it does comes within this. */
const AFTER_ERROR_MS = 30;
/** Behind an upgrade that nobody wants node reads no more, and closes nothing. */
const SILENCE_MS = 500;

/** Sends the pieces and waits for the connection's end, an error, silence or so many answers. */
export async function exchange(
  port: number,
  pieces: readonly string[],
  until: 'the end' | 'an error' | number,
): Promise<Got> {
  const client = await dial(port);
  await client.sendPieces(pieces);
  let silentFor = 0;
  for (let length = 0; !client.ended && !client.closed; length = client.received.length) {
    const statuses = statusesOf(client.received);
    if (typeof until === 'number' && finals(statuses) >= until) break;
    const patience = statuses.some((status) => status >= 400) ? AFTER_ERROR_MS : SILENCE_MS;
    silentFor = client.received.length === length ? silentFor + 1 : 0;
    if (until === 'an error' && silentFor > patience) break;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  client.socket.destroy();
  return { statuses: statusesOf(client.received), text: client.received };
}

/** Answers that are not interim ones. */
export function finals(statuses: readonly number[]): number {
  return statuses.filter((status) => status >= 200).length;
}

function statusesOf(text: string): number[] {
  return [...text.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)].map((match) => Number(match[1]));
}

/** An upstream that remembers what it understood and answers everything with 200. */
async function upstream(seen: Understood[], wire: { bytes: string }): Promise<http.Server> {
  const options = {
    headersTimeout: TIMEOUT_MS,
    requestTimeout: TIMEOUT_MS,
    connectionsCheckingInterval: 20,
    keepAliveTimeout: 60_000,
  };
  const server = http.createServer(options, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('latin1');
      seen.push({ method: request.method ?? '', target: request.url ?? '', body });
      response.writeHead(200, { 'Content-Length': 3 }).end('ok\n');
    });
    request.on('error', () => {});
  });
  server.on('connection', (socket: Socket) => {
    socket.on('data', (chunk: Buffer) => {
      wire.bytes += chunk.toString('latin1');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function portOf(server: http.Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP address');
  return address.port;
}

function closeServer(server: http.Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}

const settings = {
  ...plainWebServer,
  upstreamIdleMax: 4,
  requestHeadTimeout: TIMEOUT_MS * 1_000,
  requestBodyTimeout: TIMEOUT_MS * 1_000,
};

/** Our relay in front of any upstream. Stopping it checks that its books balance. */
export function startOursAt(target: Endpoint): Promise<RunningHop> {
  return startHop(createWebServer, settings, { targets: [target] });
}

export async function startOurs(): Promise<Front> {
  const seen: Understood[] = [];
  const wire = { bytes: '' };
  const server = await upstream(seen, wire);
  const { index } = testLinks.outgoing;
  const hop = await startOursAt({
    instance: 1,
    link: index,
    address: '127.0.0.1',
    port: portOf(server),
  });
  const stop = (): Promise<unknown> => hop.stop().finally(() => closeServer(server));
  return { name: 'ours', port: hop.port, seen, wire, stop };
}

export async function startReal(): Promise<Front> {
  const seen: Understood[] = [];
  const wire = { bytes: '' };
  const server = await upstream(seen, wire);
  const hop = { ...settings, name: 'hop', implementation: 'nginx' as const };
  const nginx = await startNginx(hop, foreignContext(hop, [portOf(server)]));
  const port = nginx.endpoints[0]?.port ?? 0;
  return {
    name: 'nginx',
    port,
    seen,
    wire,
    stop: () => nginx.stop().finally(() => closeServer(server)),
  };
}

export async function startNode(): Promise<Front> {
  const seen: Understood[] = [];
  const wire = { bytes: '' };
  const server = await upstream(seen, wire);
  return { name: 'node', port: portOf(server), seen, wire, stop: () => closeServer(server) };
}

/** What our parser and framers alone make of bytes. */
export interface Reading {
  readonly requests: readonly Understood[];
  /** Where the first of them ends. */
  readonly firstEnd: number;
  /** Of the answer to what is no request; 0 = all of it is, so far. */
  readonly refused: number;
  /** The bytes end within a message. */
  readonly incomplete: boolean;
}

export function readAll(text: string): Reading {
  const bytes = Buffer.from(text, 'latin1');
  const requests: Understood[] = [];
  const framer = new BodyFramer();
  let at = 0;
  let firstEnd = 0;
  const reading = (refused: number, incomplete: boolean): Reading => ({
    requests,
    firstEnd,
    refused,
    incomplete,
  });
  while (at < bytes.length) {
    const parser = new HeadParser('request');
    at = parser.feed(bytes, at, bytes.length);
    const { head, failure } = parser;
    if (failure !== null) return reading(failure.status, false);
    if (!parser.done) return reading(0, parser.begun);
    const { method, persistent } = head;
    const target = head.target();
    let body = '';
    framer.begin(head.bodyKind(''), head.contentLength);
    at = framer.feedPayload(bytes, at, bytes.length, (from, to) => {
      body += bytes.toString('latin1', from, to);
    });
    if (framer.failure !== null) return reading(framer.failure.status, false);
    if (!framer.done) return reading(0, true);
    if (requests.length === 0) firstEnd = at;
    requests.push({ method, target, body });
    if (!persistent || method === 'CONNECT') break;
  }
  return reading(0, false);
}

/** Where the final response to a GET ends; the text's end if it does not. */
export function responseEnd(text: string): number {
  const bytes = Buffer.from(text, 'latin1');
  const framer = new BodyFramer();
  for (let at = 0; at < bytes.length; ) {
    const parser = new HeadParser('response');
    at = parser.feed(bytes, at, bytes.length);
    if (!parser.done) break;
    if (parser.head.status < 200) continue;
    framer.begin(parser.head.bodyKind('GET'), parser.head.contentLength);
    return framer.feed(bytes, at, bytes.length);
  }
  return bytes.length;
}
