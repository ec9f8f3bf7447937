/**
 * The L4 relay against real sockets: plain `net` clients and servers on both sides of one flow,
 * with the books of both ends checked after each case.
 */
import { createHash, randomBytes } from 'node:crypto';
import net from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { closeCauseOf } from '../../model/close-cause.ts';
import { EventKind } from '../../model/event.ts';
import type { Endpoint, Link } from '../../model/run.ts';
import { type EventBlock, EventWriter } from '../../stream/columns.ts';
import { EndRegistry } from '../io/connection-end.ts';
import { listenOn } from '../io/listen-on.ts';
import { Listener, noHandlers } from '../io/listener.ts';
import { Clock } from '../runtime/clock.ts';
import { Flow, FlowNumbers, type FlowOwner } from './flow.ts';

const incoming: Link = {
  index: 0,
  name: 'a->b',
  downstream: 'a',
  upstream: 'b',
  purpose: 'traffic',
};
const outgoing: Link = {
  index: 1,
  name: 'b->c',
  downstream: 'b',
  upstream: 'c',
  purpose: 'traffic',
};

/** A relay that opens its gate at once, as a balancer does. */
class Relay implements FlowOwner {
  readonly blocks: EventBlock[] = [];
  readonly events = new EventWriter(0, (block) => this.blocks.push(block));
  readonly ends = new EndRegistry(new Clock(), this.events, 0, { next: 0 });
  readonly outgoing = outgoing;
  readonly numbers = new FlowNumbers();
  readonly flows: Flow[] = [];
  target: Endpoint = { instance: 1, link: 1, address: '127.0.0.1', port: 0 };
  readonly listener = new Listener({
    instance: 0,
    link: incoming,
    listen: null,
    backlog: 64,
    ends: this.ends,
    handlers: noHandlers,
    onAccept: (end) => {
      const flow = this.numbers.add((id) => new Flow(id, end, this));
      this.flows.push(flow);
      end.handlers = flow.downstreamHandlers;
      flow.open(this.target);
      flow.openGate();
      end.resume();
    },
  });

  bytesUp(): void {}
  /** Bytes told of a flow that was over. */
  late = 0;
  bytesDown(flow: Flow): void {
    if (this.numbers.flows[flow.id] !== flow) this.late += 1;
  }
  ending(): void {}
  leftWhileGated(): void {}
  gone(flow: Flow): void {
    this.numbers.remove(flow);
  }

  /** Rows of a kind: [end, a]. */
  rows(kind: number): [number, number][] {
    this.events.flush();
    const found: [number, number][] = [];
    for (const block of this.blocks) {
      for (let i = 0; i < block.count; i++) {
        if (block.kind[i] === kind) found.push([block.end[i] ?? 0, block.a[i] ?? 0]);
      }
    }
    return found;
  }
}

const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});

async function relayTo(
  serve: (socket: net.Socket) => void,
): Promise<{ relay: Relay; port: number }> {
  const relay = new Relay();
  const server = net.createServer({ allowHalfOpen: true }, serve);
  const { port } = await listenOn(server, null);
  relay.target = { ...relay.target, port };
  const endpoint = await relay.listener.open();
  open.push(
    () => server.close(),
    () => void relay.listener.close(),
  );
  return { relay, port: endpoint.port };
}

async function allGone(relay: Relay): Promise<void> {
  await expect.poll(() => relay.ends.live.size, { timeout: 5_000 }).toBe(0);
  const opened = relay.rows(EventKind.accepted).length + relay.rows(EventKind.connected).length;
  expect(relay.rows(EventKind.closed)).toHaveLength(opened);
}

function causes(relay: Relay): string[] {
  return relay.rows(EventKind.closed).map(([, cause]) => closeCauseOf(cause));
}

describe('a flow through the L4 relay', () => {
  it('passes megabytes unchanged both ways, though both readers are slow', async () => {
    const sent = randomBytes(5_000_000);
    const { relay, port } = await relayTo((socket) => {
      const back = createHash('sha256');
      socket.on('data', (chunk) => {
        back.update(chunk);
        if (!socket.write(chunk)) {
          socket.pause();
          socket.once('drain', () => socket.resume());
        }
      });
      socket.on('end', () => socket.end());
    });
    const received = createHash('sha256');
    let bytes = 0;
    await new Promise<void>((resolve, reject) => {
      const client = net.connect(port, '127.0.0.1');
      client.on('error', reject);
      client.on('data', (chunk) => {
        received.update(chunk);
        bytes += chunk.length;
        client.pause();
        setImmediate(() => client.resume());
      });
      client.on('end', () => resolve());
      client.end(sent);
    });
    expect(bytes).toBe(sent.length);
    expect(received.digest('hex')).toBe(createHash('sha256').update(sent).digest('hex'));
    await allGone(relay);
    expect(causes(relay)).toEqual(['peer_fin', 'peer_fin']);
  });

  it('keeps the other direction open after a half-close', async () => {
    const { relay, port } = await relayTo((socket) => {
      let text = '';
      socket.setEncoding('latin1').on('data', (chunk) => {
        text += chunk;
      });
      // Answers only once the client has finished asking.
      socket.on('end', () => setTimeout(() => socket.end(`you said ${text}`), 20));
    });
    const answer = await new Promise<string>((resolve, reject) => {
      let text = '';
      const client = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
      client.on('error', reject);
      client.on('data', (chunk) => {
        text += chunk.toString('latin1');
      });
      client.on('end', () => resolve(text));
      client.end('hello');
    });
    expect(answer).toBe('you said hello');
    await allGone(relay);
  });

  it('delivers what a client sends after the server’s FIN, until it ends too', async () => {
    let heard = 0;
    const hash = createHash('sha256');
    const { relay, port } = await relayTo((socket) => {
      socket.end('enough of me');
      socket.on('data', (chunk) => {
        heard += chunk.length;
        hash.update(chunk);
        // Slower than the client: back-pressure must hold after the FIN as well.
        socket.pause();
        setImmediate(() => socket.resume());
      });
    });
    const upload = randomBytes(3_000_000);
    const client = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    client.resume();
    await new Promise((resolve) => client.once('end', resolve));
    client.write(upload.subarray(0, 1_000));
    await expect.poll(() => heard).toBe(1_000);
    client.end(upload.subarray(1_000));
    await allGone(relay);
    // What the relay has handed over may still lie in the server's kernel.
    await expect.poll(() => heard).toBe(upload.length);
    expect(hash.digest('hex')).toBe(createHash('sha256').update(upload).digest('hex'));
    expect(causes(relay)).toEqual(['peer_fin', 'peer_fin']);
  });

  it('resets a client that goes on after a server that has really gone', async () => {
    const { relay, port } = await relayTo((socket) => void socket.on('data', () => {}).destroy());
    const client = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    let error = '';
    client.on('error', (reason: NodeJS.ErrnoException) => {
      error = reason.code ?? '';
    });
    client.resume();
    await new Promise((resolve) => client.once('end', resolve));
    client.write('too late');
    // Behind a FIN nobody reads any more, so that only a further write finds the RST.
    await expect
      .poll(() => {
        client.write('.');
        return error;
      })
      .not.toBe('');
    await allGone(relay);
    expect(causes(relay)).toEqual(['peer_rst', 'peer_rst']);
  });

  it('passes a reset on as a reset, in both directions', async () => {
    const { relay, port } = await relayTo((socket) => {
      socket.on('error', () => {});
      socket.on('data', () => socket.resetAndDestroy());
    });
    const error = await new Promise<NodeJS.ErrnoException>((resolve) => {
      const client = net.connect(port, '127.0.0.1');
      client.on('error', resolve);
      client.write('x');
    });
    expect(error.code).toBe('ECONNRESET');
    await allGone(relay);
    expect(causes(relay)).toEqual(['peer_rst', 'peer_rst']);

    let seen = '';
    const second = await relayTo((socket) => {
      socket.on('error', (reason: NodeJS.ErrnoException) => {
        seen = reason.code ?? '';
      });
      socket.resume();
    });
    const client = net.connect(second.port, '127.0.0.1');
    client.on('error', () => {});
    client.write('x');
    await expect.poll(() => second.relay.rows(EventKind.connected).length).toBe(1);
    client.resetAndDestroy();
    await allGone(second.relay);
    await expect.poll(() => seen).toBe('ECONNRESET');
  });

  it('resets the client when the server cannot be reached', async () => {
    const { relay, port } = await relayTo(() => {});
    const nobody = net.createServer();
    const { port: refused } = await listenOn(nobody, null);
    await new Promise((resolve) => nobody.close(resolve));
    relay.target = { ...relay.target, port: refused };
    const error = await new Promise<NodeJS.ErrnoException>((resolve) => {
      const client = net.connect(port, '127.0.0.1');
      client.on('error', resolve);
      client.write('x');
    });
    expect(error.code).toBe('ECONNRESET');
    await expect.poll(() => relay.ends.live.size).toBe(0);
    // The accepted one and the failed connect are both closed in the books.
    expect(relay.rows(EventKind.connectStarted)).toHaveLength(1);
    expect(relay.rows(EventKind.connected)).toHaveLength(0);
    expect(relay.rows(EventKind.closed)).toHaveLength(2);
  });

  it('tells nothing of a flow that is over, whose number may be used again', async () => {
    const sockets: net.Socket[] = [];
    const { relay, port } = await relayTo((socket) => {
      socket.on('error', () => {});
      sockets.push(socket.pause());
    });
    const client = net.connect(port, '127.0.0.1');
    client.on('error', () => {});
    client.write(randomBytes(20_000_000));
    const [flow] = await expect
      .poll(() => relay.flows)
      .toHaveLength(1)
      .then(() => relay.flows);
    // More than the kernel takes: bytes wait in the relay, so that its upstream end must linger.
    await expect.poll(() => flow?.upstream?.unsent ?? 0).toBeGreaterThan(0);
    flow?.close('drain');
    await expect.poll(() => flow?.downstream.closed).toBe(true);
    expect(flow?.upstream?.closed).toBe(false);
    sockets[0]?.write('an answer that comes too late');
    const before = flow?.upstream?.bytesRead ?? 0;
    await expect.poll(() => flow?.upstream?.bytesRead ?? 0).toBeGreaterThan(before);
    expect(relay.late).toBe(0);
    sockets[0]?.resume().on('end', () => sockets[0]?.end());
    await allGone(relay);
    expect(causes(relay)).toEqual(['drain', 'drain']);
  });
});
