/**
 * Support for tests of clients: a group against a real server, and questions to its events.
 * A test file that uses it calls `afterEach(cleanUp)`.
 */
import net from 'node:net';
import { closeCauseOf } from '../../model/close-cause.ts';
import { EventKind } from '../../model/event.ts';
import type { Endpoint } from '../../model/run.ts';
import type { ClientsHop, RetrySettings } from '../../model/topology.ts';
import { createClients } from '../hops/clients.ts';
import { type RunningHop, startHop } from '../test-http.case.ts';
import { type EventRow, testLinks, testPool } from '../test-support.ts';
import type { LoadLimits } from './group.ts';

export const noRetry: RetrySettings = {
  attemptsMax: 1,
  backoff: 0,
  backoffMax: 0,
  jitter: 0,
  budget: 1,
  on: ['timeout', 'reset', 'refused'],
};

/** One closed user that asks once and then thinks for an hour, to be changed in part. */
export const oneAsker: ClientsHop = {
  kind: 'clients',
  name: 'mobile',
  upstream: 'edge',
  listen: null,
  upstreamDelay: 0,
  count: 1,
  workload: closed(3_600_000_000),
  pool: testPool({ connectionsMax: 1 }),
  requestsPerIteration: 0,
  postShare: 0,
  path: '/items/1',
  bodyBytes: 64,
  connectTimeout: 2_000_000,
  timeout: 0,
  patience: { kind: 'constant', value: 0 },
  retry: noRetry,
};

export function closed(thinkTime: number, startWithin = 0): ClientsHop['workload'] {
  return {
    kind: 'closed',
    thinkTime: { kind: 'constant', value: thinkTime },
    awake: { shape: 'constant', value: 1 },
    startWithin,
  };
}

export function open(
  ratePerSecond: number,
  arrivals: 'constant' | 'poisson' = 'constant',
): ClientsHop['workload'] {
  return { kind: 'open', rate: { shape: 'constant', value: ratePerSecond }, arrivals };
}

const cleanups: (() => Promise<unknown>)[] = [];

/** Stops what the test started, the last first; throws where books do not balance. */
export async function cleanUp(): Promise<void> {
  for (const clean of cleanups.splice(0).reverse()) await clean();
}

/** Starts clients; at the test's end they are stopped and all their books must balance. */
export async function startClients(
  changes: Partial<ClientsHop>,
  targets: readonly Endpoint[],
  limits?: LoadLimits,
): Promise<RunningHop> {
  const hop = { ...oneAsker, ...changes };
  const clients = await startHop((ctx) => createClients(ctx, limits), hop, { targets });
  cleanups.push(async () => {
    const wrong = requestImbalances(await clients.stop());
    if (wrong.length > 0) throw new Error(wrong.join('; '));
  });
  return clients;
}

/** A server that answers each request head (bodies are not read) with raw bytes. */
export async function rawServer(
  answer: (socket: net.Socket, connection: number, request: number, head: string) => void,
): Promise<Endpoint> {
  const sockets = new Set<net.Socket>();
  let connections = 0;
  const server = net.createServer((socket) => {
    connections += 1;
    const connection = connections;
    let requests = 0;
    let text = '';
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (data) => {
      text += data.toString('latin1');
      for (let end = text.indexOf('\r\n\r\n'); end !== -1; end = text.indexOf('\r\n\r\n')) {
        const head = text.slice(0, end);
        text = text.slice(end + 4);
        requests += 1;
        answer(socket, connection, requests, head);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP address');
  return { instance: 1, link: testLinks.outgoing.index, address: '127.0.0.1', port: address.port };
}

export const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

export const ofKind = (rows: readonly EventRow[], kind: number): EventRow[] =>
  rows.filter((row) => row.kind === kind);
export const sent = (rows: readonly EventRow[]): EventRow[] => ofKind(rows, EventKind.requestSent);
export const done = (rows: readonly EventRow[]): EventRow[] => ofKind(rows, EventKind.requestDone);
/** Status, or minus the failure's code, of each request that has an outcome. */
export const outcomes = (rows: readonly EventRow[]): number[] => done(rows).map(({ c }) => c);
export const attempts = (rows: readonly EventRow[]): EventRow[] =>
  ofKind(rows, EventKind.exchangeStarted);
export const causes = (rows: readonly EventRow[]): string[] =>
  ofKind(rows, EventKind.closed).map(({ a }) => closeCauseOf(a));

/** The most connections that were open, or being opened, at once. */
export function connectionsAtOnce(rows: readonly EventRow[]): number {
  let now = 0;
  let most = 0;
  for (const { kind } of rows) {
    if (kind === EventKind.connectStarted) now += 1;
    if (kind === EventKind.closed) now -= 1;
    most = Math.max(most, now);
  }
  return most;
}

/**
 * What is wrong with the books of requests: each is sent once, numbered from 1 by its client,
 * done at most once and after it was sent; attempts belong to a request that is sent and not
 * done; what is answered had an attempt.
 */
export function requestImbalances(rows: readonly EventRow[]): string[] {
  const wrong: string[] = [];
  const pending = new Map<string, number>();
  const last = new Map<number, number>();
  for (const { kind, at, a, b, c } of rows) {
    const key = `client ${a} request ${b}`;
    const tried = pending.get(key);
    if (kind === EventKind.requestSent) {
      if (b !== (last.get(a) ?? 0) + 1) wrong.push(`${key} is out of order`);
      if (c > at) wrong.push(`${key} was sent before it was intended`);
      last.set(a, b);
      pending.set(key, 0);
    } else if (kind === EventKind.exchangeStarted) {
      if (c !== 2 || tried === undefined) wrong.push(`an attempt at ${key} that is not pending`);
      else pending.set(key, tried + 1);
    } else if (kind === EventKind.requestDone) {
      if (tried === undefined) wrong.push(`${key} is done but was not pending`);
      else if (c > 0 && tried === 0) wrong.push(`${key} was answered without an attempt`);
      pending.delete(key);
    }
  }
  return wrong;
}
