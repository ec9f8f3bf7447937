/**
 * Support for tests of framing: an upstream that writes down every byte that it receives, and a
 * client that sends bytes as they are. Neither knows HTTP, so neither can hide what a relay did.
 */
import { once } from 'node:events';
import net from 'node:net';
import type { Endpoint } from '../model/run.ts';
import { testLinks } from './test-support.ts';

/** One connection as its far end sees it; texts are latin1. */
export class Wire {
  readonly socket: net.Socket;
  received = '';
  /** The other side sent FIN. */
  ended = false;
  /** The error code that it broke with. */
  broken: string | null = null;
  closed = false;

  constructor(socket: net.Socket, onData: (wire: Wire) => void = () => {}) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.received += chunk.toString('latin1');
      onData(this);
    });
    socket.on('end', () => {
      this.ended = true;
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.broken = error.code ?? error.message;
    });
    socket.on('close', () => {
      this.closed = true;
    });
  }

  send(text: string): void {
    this.socket.write(text, 'latin1');
  }

  /** Sends the pieces one by one, each in a segment of its own as far as loopback goes. */
  async sendPieces(pieces: readonly string[]): Promise<void> {
    for (const piece of pieces) {
      if (this.socket.destroyed) return;
      this.send(piece);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

/** A server that records. `answer` is called whenever bytes came. */
export interface Recorder {
  readonly wires: Wire[];
  readonly port: number;
  readonly endpoint: Endpoint;
  /** Everything received on any connection. */
  received(): string;
  close(): Promise<void>;
}

export async function startRecorder(answer: (wire: Wire) => void): Promise<Recorder> {
  const wires: Wire[] = [];
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    socket.setNoDelay(true);
    wires.push(new Wire(socket, answer));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP address');
  const { port } = address;
  return {
    wires,
    port,
    endpoint: { instance: 1, link: testLinks.outgoing.index, address: '127.0.0.1', port },
    received: () => wires.map((wire) => wire.received).join(''),
    close() {
      for (const { socket } of wires) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** A client that sends what it is told. */
export async function dial(port: number, text = ''): Promise<Wire> {
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  const wire = new Wire(socket);
  await once(socket, 'connect');
  if (text !== '') wire.send(text);
  return wire;
}
