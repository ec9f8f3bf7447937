/** Support for tests of L7 hops: starting one, real HTTP clients, and questions to its events. */
import http from 'node:http';
import net from 'node:net';
import { expect } from 'vitest';
import { closeCauseOf } from '../model/close-cause.ts';
import { EventKind } from '../model/event.ts';
import type { Endpoint } from '../model/run.ts';
import type { Hop, WebServerHop } from '../model/topology.ts';
import type { HopContext, HopCounters, LiveHop } from './runtime/context.ts';
import {
  type EventRow,
  imbalances,
  type TestContextOptions,
  testContext,
  testMachine,
} from './test-support.ts';

export interface RunningHop {
  readonly live: LiveHop;
  readonly endpoints: readonly Endpoint[];
  /** Port of the first listener. */
  readonly port: number;
  readonly counters: HopCounters;
  events(): EventRow[];
  /** Stops the hop and checks that its books balance. */
  stop(): Promise<EventRow[]>;
}

export async function startHop<H extends Hop>(
  create: (ctx: HopContext<H>) => LiveHop,
  hop: H,
  options: TestContextOptions,
): Promise<RunningHop> {
  const { ctx, events } = testContext(hop, options);
  const live = create(ctx);
  const endpoints = await live.listen();
  live.begin();
  let stopped: Promise<EventRow[]> | null = null;
  const stop = async (): Promise<EventRow[]> => {
    await live.stop();
    expect(ctx.ends.live.size).toBe(0);
    const rows = events();
    expect(imbalances(rows)).toEqual([]);
    return rows;
  };
  return {
    live,
    endpoints,
    port: endpoints[0]?.port ?? 0,
    counters: ctx.counters,
    events,
    stop() {
      stopped ??= stop();
      return stopped;
    },
  };
}

/** A built-in web server without limits, to be changed in part. */
export const plainWebServer: WebServerHop = {
  kind: 'web-server',
  name: 'nginx',
  upstream: 'app',
  listen: null,
  ...testMachine,
  implementation: 'builtin',
  keepAliveTimeout: 60_000_000,
  keepAliveRequests: 0,
  keepAliveTime: 0,
  requestHeadTimeout: 60_000_000,
  requestBodyTimeout: 60_000_000,
  workerConnections: 512,
  upstreamIdleMax: 0,
  upstreamIdleTimeout: 60_000_000,
  connectTimeout: 1_000_000,
  responseTimeout: 5_000_000,
};

export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

export function request(
  port: number,
  options: http.RequestOptions = {},
  body: Buffer | string = '',
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = http.request({ host: '127.0.0.1', port, ...options }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const { statusCode = 0, headers } = response;
        resolve({ status: statusCode, headers, body: Buffer.concat(chunks) });
      });
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

/** Sends raw bytes and collects everything until the other side closes or `done` says so. */
export function raw(port: number, text: string, done: (sofar: string) => boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    let got = '';
    const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true }, () =>
      socket.write(text, 'latin1'),
    );
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      got += chunk;
      if (done(got)) socket.destroy();
    });
    socket.on('end', () => socket.end());
    socket.on('error', reject);
    socket.on('close', () => resolve(got));
  });
}

export const never = (): boolean => false;
export const causesOf = (events: readonly EventRow[], ends: ReadonlySet<number>): string[] =>
  events
    .filter(({ kind, end }) => kind === EventKind.closed && ends.has(end))
    .map(({ a }) => closeCauseOf(a));
export const endsOf = (events: readonly EventRow[], kind: number): Set<number> =>
  new Set(events.filter((row) => row.kind === kind).map((row) => row.end));
