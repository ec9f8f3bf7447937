/**
 * All transports against real `net` peers, through the same cases: what a ConnectionEnd hears
 * must not depend on which of them it has. The peers are node's own sockets.
 */
import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, it } from 'vitest';
import { HandleTransport } from './handle-transport.ts';
import { listenOn } from './listen-on.ts';
import { nativeSockets } from './native-sockets.ts';
import { NativeTransport } from './native-transport.ts';
import { SocketTransport } from './socket-transport.ts';
import { handlesAvailable, newTcpHandle } from './tcp-handles.ts';
import type { Transport, TransportOwner } from './transport.ts';

/** Writes down what it hears; bytes are added up. */
class Listening implements TransportOwner {
  readonly heard: string[] = [];
  readonly digest = createHash('sha256');
  bytes = 0;
  transport: Transport | null = null;
  connected(): void {
    this.heard.push('connected');
    this.transport?.resume();
  }
  received(buffer: Buffer, length: number): void {
    this.bytes += length;
    this.digest.update(buffer.subarray(0, length));
  }
  peerEnded(): void {
    this.heard.push('ended');
  }
  drained(): void {
    this.heard.push('drained');
  }
  errored(code: string): void {
    this.heard.push(code);
  }
  gone(): void {
    this.heard.push('gone');
  }
}

type Kind = 'native' | 'handle' | 'socket';
const kinds: Kind[] = [...(nativeSockets === null ? [] : ['native' as const]), 'handle', 'socket'];

const COMPILE = fileURLToPath(new URL('../../../native/compile.mjs', import.meta.url));

setFlagsFromString('--expose-gc');
const gc: unknown = runInNewContext('gc');
function collectGarbage(): void {
  if (typeof gc !== 'function') throw new Error('no garbage collector to call');
  gc();
}

function connect(kind: Kind, port: number): [Transport, Listening] {
  const owner = new Listening();
  const target = { instance: 0, link: 0, address: '127.0.0.1', port };
  if (kind === 'socket') owner.transport = SocketTransport.connect(target, owner);
  else if (kind === 'native') {
    if (nativeSockets === null) throw new Error('no native sockets');
    const transport = new NativeTransport(nativeSockets, owner);
    owner.transport = transport;
    transport.connect(target);
  } else {
    const transport = new HandleTransport(newTcpHandle(), owner);
    owner.transport = transport;
    transport.connect(target);
  }
  return [owner.transport, owner];
}

const servers: net.Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function serve(each: (socket: net.Socket) => void): Promise<number> {
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    each(socket);
  });
  servers.push(server);
  return (await listenOn(server, null)).port;
}

it('this Node has the handles that the fast transport needs', () => {
  expect(handlesAvailable || process.env.WATERHAMMER_SOCKETS === 'net').toBe(true);
});

it('has native sockets, wherever they can be compiled and are not turned off', () => {
  const { stderr: without } = spawnSync(process.execPath, [COMPILE], { encoding: 'utf8' });
  const turnedOff = ['net', 'handle'].includes(process.env.WATERHAMMER_SOCKETS ?? '');
  expect(nativeSockets === null).toBe(turnedOff || without !== '');
});

describe.each(kinds)('transport on a %s', (kind) => {
  it('ends each direction by itself, and closes when both have ended', async () => {
    const port = await serve((socket) => {
      socket.resume().on('end', () => setTimeout(() => socket.end('late answer'), 20));
    });
    const [transport, owner] = connect(kind, port);
    await expect.poll(() => owner.heard).toContain('connected');
    transport.write('question');
    transport.finish();
    await expect.poll(() => owner.heard).toContain('gone');
    expect(owner.heard).toEqual(['connected', 'ended', 'gone']);
    expect(owner.bytes).toBe('late answer'.length);
    expect([transport.bytesRead, transport.bytesWritten]).toEqual([11, 8]);
  });

  it('sends everything to a slow reader, says when to wait and when to go on', async () => {
    const sent = randomBytes(8_000_000);
    const sockets: net.Socket[] = [];
    const digest = createHash('sha256');
    const port = await serve((socket) => {
      sockets.push(socket.pause());
      socket.on('data', (chunk) => digest.update(chunk));
    });
    const [transport, owner] = connect(kind, port);
    await expect.poll(() => owner.heard).toContain('connected');
    expect(transport.write(sent)).toBe(false);
    expect(transport.unsent).toBeGreaterThan(0);
    await expect.poll(() => sockets).toHaveLength(1);
    sockets[0]?.resume();
    await expect.poll(() => owner.heard, { timeout: 10_000 }).toContain('drained');
    expect(transport.unsent).toBe(0);
    transport.close();
    await expect.poll(() => owner.heard).toContain('gone');
    await expect.poll(() => sockets[0]?.readableEnded).toBe(true);
    expect(digest.digest('hex')).toBe(createHash('sha256').update(sent).digest('hex'));
    sockets[0]?.destroy();
  });

  it('keeps what waits to be sent, though nobody else does and memory is collected', async () => {
    const sockets: net.Socket[] = [];
    const port = await serve((socket) => sockets.push(socket.pause()));
    const [transport, owner] = connect(kind, port);
    await expect.poll(() => owner.heard).toContain('connected');
    let collected = 0;
    const registry = new FinalizationRegistry(() => {
      collected += 1;
    });
    const [chunks, size] = [400, 64 * 1_024];
    for (let i = 0; i < chunks; i++) {
      const chunk = randomBytes(size);
      registry.register(chunk, null);
      transport.write(chunk);
    }
    const waiting = Math.floor(transport.unsent / size);
    expect(waiting).toBeGreaterThan(0);
    for (let i = 0; i < 5; i++) {
      collectGarbage();
      await delay(10);
    }
    expect(collected).toBeLessThanOrEqual(chunks - waiting);
    transport.reset();
    await expect.poll(() => owner.heard).toContain('gone');
    await expect.poll(() => sockets).toHaveLength(1);
    sockets[0]?.destroy();
  });

  it('closes only after what was written, though the peer reads late', async () => {
    const sockets: net.Socket[] = [];
    let received = 0;
    const port = await serve((socket) => {
      sockets.push(socket.pause());
      socket.on('data', (chunk) => {
        received += chunk.length;
      });
    });
    const [transport, owner] = connect(kind, port);
    await expect.poll(() => owner.heard).toContain('connected');
    transport.write(randomBytes(8_000_000));
    transport.close();
    await expect.poll(() => sockets).toHaveLength(1);
    expect(owner.heard).not.toContain('gone');
    sockets[0]?.resume();
    const [socket] = sockets;
    if (socket !== undefined) await once(socket, 'end');
    expect(received).toBe(8_000_000);
    socket?.end();
    await expect.poll(() => owner.heard).toContain('gone');
  });

  it('resets at once, and hears a reset', async () => {
    const errors: string[] = [];
    const port = await serve((socket) => {
      socket.on('error', (error: NodeJS.ErrnoException) => errors.push(error.code ?? ''));
      socket.on('data', (chunk) => {
        if (chunk.toString() === 'reset me') socket.resetAndDestroy();
      });
    });
    const [ours, owner] = connect(kind, port);
    await expect.poll(() => owner.heard).toContain('connected');
    ours.reset();
    ours.reset();
    await expect.poll(() => errors).toEqual(['ECONNRESET']);
    await expect.poll(() => owner.heard).toEqual(['connected', 'gone']);

    const [theirs, second] = connect(kind, port);
    await expect.poll(() => second.heard).toContain('connected');
    theirs.write('reset me');
    await expect.poll(() => second.heard).toEqual(['connected', 'ECONNRESET', 'gone']);
  });

  it('hears a reset behind bytes that have waited unread, and not a FIN', async () => {
    const sockets: net.Socket[] = [];
    const port = await serve((socket) => sockets.push(socket));
    for (const [way, heard] of [
      ['reset', ['connected', 'ECONNRESET', 'gone']],
      ['fin', ['connected', 'ended']],
    ] as const) {
      const [transport, owner] = connect(kind, port);
      await expect.poll(() => [sockets.length, owner.heard.length]).toEqual([1, 1]);
      transport.pause();
      const [socket] = sockets.splice(0);
      await new Promise((resolve) => socket?.write('last words', resolve));
      // Not with `resetAndDestroy`, which sends a FIN first.
      if (way === 'reset' && socket !== undefined) Reflect.set(socket, 'resetAndClosing', true);
      if (way === 'reset') socket?.destroy();
      else socket?.end();
      await delay(20);
      transport.resume();
      await expect.poll(() => owner.heard).toEqual(heard);
      expect(owner.bytes).toBe('last words'.length);
      transport.reset();
      socket?.destroy();
    }
  });

  it('reads what a peer said before it went, though sending fails; not while paused', async () => {
    const sockets: net.Socket[] = [];
    const port = await serve((socket) => sockets.push(socket));
    for (const reads of [true, false]) {
      const [transport, owner] = connect(kind, port);
      await expect.poll(() => [sockets.length, owner.heard.length]).toEqual([1, 1]);
      transport.pause();
      const [socket] = sockets.splice(0);
      await new Promise((resolve) => socket?.write('last words', resolve));
      if (socket !== undefined) Reflect.set(socket, 'resetAndClosing', true);
      socket?.destroy();
      await delay(20);
      if (reads) transport.resume();
      transport.write('more of a long question');
      transport.write('and more');
      await expect.poll(() => owner.heard).toContain('gone');
      const why: unknown = expect.stringMatching(/ECONNRESET|EPIPE/);
      expect(owner.heard).toEqual(['connected', why, 'gone']);
      // Node destroys a net.Socket whose write fails: what it had not read by then is lost.
      expect(owner.bytes).toBe(reads && kind !== 'socket' ? 'last words'.length : 0);
    }
  });

  it('does not lose its socket when a reset comes while its FIN waits', async () => {
    const sockets: net.Socket[] = [];
    const port = await serve((socket) => sockets.push(socket.pause()));
    const [transport, owner] = connect(kind, port);
    await expect.poll(() => owner.heard).toContain('connected');
    transport.write(randomBytes(8_000_000));
    transport.finish();
    transport.reset();
    await expect.poll(() => owner.heard).toContain('gone');
    await expect.poll(() => sockets).toHaveLength(1);
    sockets[0]?.destroy();
  });

  it('reports a refused connect, and one that is given up', async () => {
    const port = await serve(() => {});
    const [server] = servers.splice(0);
    await new Promise((resolve) => server?.close(resolve));
    const [, refused] = connect(kind, port);
    await expect.poll(() => refused.heard).toEqual(['ECONNREFUSED', 'gone']);

    const [given, owner] = connect(kind, await serve(() => {}));
    given.close();
    await expect.poll(() => owner.heard).toEqual(['gone']);
  });

  it('reads nothing while it is paused', async () => {
    let answered = 0;
    const port = await serve((socket) => {
      socket.write('early');
      socket.on('data', () =>
        socket.write('later', () => {
          answered += 1;
        }),
      );
    });
    const [transport, owner] = connect(kind, port);
    await expect.poll(() => owner.bytes).toBe(5);
    transport.pause();
    transport.write('x');
    await expect.poll(() => answered).toBe(1);
    await delay(50);
    expect(owner.bytes).toBe(5);
    transport.resume();
    await expect.poll(() => owner.bytes).toBe(10);
    transport.close();
    await expect.poll(() => owner.heard).toContain('gone');
  });
});
