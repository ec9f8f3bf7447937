/**
 * Support for tests of L4 hops: servers and clients that speak bytes, and the kernel's view of a
 * hop's accepted sockets.
 */
import net from 'node:net';
import type { Endpoint } from '../../model/run.ts';
import type { ConnectionQueueHop } from '../../model/topology.ts';
import { listenOn } from '../io/listen-on.ts';
import { readTcpRows } from '../supervisor/tcp-rows.ts';
import { testLinks, testMachine } from '../test-support.ts';

/** The incident's queue: 15 slots, nobody read while held, nothing reclaimed. */
export const settings: ConnectionQueueHop = {
  kind: 'connection-queue',
  implementation: 'builtin',
  name: 'queue',
  upstream: 'nginx',
  listen: null,
  ...testMachine,
  activeMax: 15,
  heldMax: 1_000,
  heldTimeout: 0,
  order: 'fifo',
  reclaim: 'none',
  reclaimAfter: 3_000,
  whileHeld: 'unread',
};

/** Answers one line; may write in pieces and take its time. */
export type AnswerLine = (line: string, socket: net.Socket) => void | Promise<void>;

export interface LineServer {
  readonly endpoint: Endpoint;
  /** Every line that arrived, in order of arrival. */
  readonly lines: string[];
  readonly sockets: Set<net.Socket>;
  /** Lines being answered now, and the most there have been at a time. */
  readonly atWork: { now: number; most: number };
  close(): Promise<void>;
}

/** A server that answers the lines of each connection one after the other, as HTTP/1.1 does. */
export async function lineServer(answer: AnswerLine, instance = 1): Promise<LineServer> {
  const lines: string[] = [];
  const sockets = new Set<net.Socket>();
  const atWork = { now: 0, most: 0 };
  const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    let rest = '';
    let turn = Promise.resolve();
    const one = async (line: string): Promise<void> => {
      atWork.now += 1;
      atWork.most = Math.max(atWork.most, atWork.now);
      await answer(line, socket);
      atWork.now -= 1;
    };
    socket.setEncoding('latin1').on('data', (text) => {
      const parts = (rest + text).split('\n');
      rest = parts.pop() ?? '';
      lines.push(...parts);
      for (const line of parts) turn = turn.then(() => one(line));
    });
    socket.on('end', () => void turn.then(() => socket.end()));
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  const { address, port } = await listenOn(server, null);
  return {
    endpoint: { instance, link: testLinks.outgoing.index, address, port },
    lines,
    sockets,
    atWork,
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

export const pong: AnswerLine = (line, socket) => void socket.write(`pong ${line}\n`);

/** A client that keeps what it hears; its socket stays open after the server's FIN. */
export class ByteClient {
  readonly socket: net.Socket;
  #heard: Buffer[] = [];
  /** The server sent FIN. */
  ended = false;
  closed = false;
  /** ECONNRESET, ... */
  error = '';

  constructor(port: number) {
    this.socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    this.socket.on('data', (chunk) => this.#heard.push(chunk));
    this.socket.on('end', () => {
      this.ended = true;
    });
    this.socket.on('close', () => {
      this.closed = true;
    });
    this.socket.on('error', (error: NodeJS.ErrnoException) => {
      this.error = error.code ?? error.message;
    });
  }

  get bytes(): Buffer {
    this.#heard = [Buffer.concat(this.#heard)];
    return this.#heard[0] ?? Buffer.alloc(0);
  }

  get text(): string {
    return this.bytes.toString('latin1');
  }

  get lines(): number {
    return this.text.split('\n').length - 1;
  }

  get localPort(): number {
    return this.socket.localPort ?? 0;
  }

  /** Heard FIN or RST. */
  get over(): boolean {
    return this.ended || this.closed;
  }

  say(text: string | Buffer): void {
    this.socket.write(text);
  }
}

export interface KernelRow {
  readonly remotePort: number;
  readonly state: 'ESTABLISHED' | 'CLOSE_WAIT' | 'other';
  /** Bytes that have arrived and were not read. */
  readonly unread: number;
}

const LISTEN = 0x0a;

/** What the kernel knows of the sockets accepted at a port, by the client's port. */
export function kernelRows(port: number): Map<number, KernelRow> {
  const rows = new Map<number, KernelRow>();
  const accepted = readTcpRows('tcp', (state, local) => local === port && state !== LISTEN);
  for (const { remotePort, state: code, queues } of accepted ?? []) {
    const state = code === 0x01 ? 'ESTABLISHED' : code === 0x08 ? 'CLOSE_WAIT' : 'other';
    const unread = Number.parseInt(queues.split(':')[1] ?? '0', 16);
    rows.set(remotePort, { remotePort, state, unread });
  }
  return rows;
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
