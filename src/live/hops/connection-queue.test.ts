/** The connection queue between real clients and a real server, in each of its ways to wait. */
import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { EventKind, packAddress, SlotState } from '../../model/event.ts';
import type { ConnectionQueueHop } from '../../model/topology.ts';
import { causesOf, endsOf, type RunningHop, startHop } from '../test-http.case.ts';
import { type EventRow, until } from '../test-support.ts';
import { createConnectionQueue } from './connection-queue.ts';
import {
  type AnswerLine,
  ByteClient,
  kernelRows,
  type LineServer,
  lineServer,
  pause,
  pong,
  settings,
} from './test-l4.case.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

async function start(
  changes: Partial<ConnectionQueueHop> = {},
  answer: AnswerLine = pong,
): Promise<{ queue: RunningHop; server: LineServer }> {
  const server = await lineServer(answer);
  cleanups.push(() => server.close());
  const targets = [server.endpoint];
  const queue = await startHop(createConnectionQueue, { ...settings, ...changes }, { targets });
  cleanups.push(() => queue.stop());
  return { queue, server };
}

function connect(queue: RunningHop): ByteClient {
  const client = new ByteClient(queue.port);
  cleanups.push(async () => client.socket.destroy());
  return client;
}

/** Clients that the queue accepts in order, each with a line on its way. */
async function clientsInTurn(queue: RunningHop, count: number): Promise<ByteClient[]> {
  const clients: ByteClient[] = [];
  const before = endsOf(queue.events(), EventKind.accepted).size;
  for (let number = 0; number < count; number++) {
    const client = connect(queue);
    client.say(`${number}\n`);
    await until(
      `client ${number} was accepted`,
      () => endsOf(queue.events(), EventKind.accepted).size === before + number + 1,
    );
    clients.push(client);
  }
  return clients;
}

const answered = (clients: readonly ByteClient[]): number[] =>
  clients.flatMap((client, number) => (client.lines > 0 ? [number] : []));

/** Closing causes of the accepted ends, as the queue saw them. */
const downstreamCauses = (rows: readonly EventRow[]): string[] =>
  causesOf(rows, endsOf(rows, EventKind.accepted));

/** The most connections that were active at a time, by the slot events alone. */
function mostActive(rows: readonly EventRow[]): number {
  const active = new Set<number>();
  let most = 0;
  for (const { kind, end, a } of rows) {
    if (kind === EventKind.closed) active.delete(end);
    if (kind !== EventKind.slot) continue;
    if (a === SlotState.active) active.add(end);
    else active.delete(end);
    most = Math.max(most, active.size);
  }
  return most;
}

describe('the incident: unread, no reclaim', () => {
  it('serves 15; what the others ask stays in the kernel, byte for byte', async () => {
    const { queue, server } = await start();
    const clients = await clientsInTurn(queue, 20);
    await until('15 answers', () => answered(clients).length === 15);
    for (const client of clients) client.say('again\n');
    await until('15 more', () => clients.filter(({ lines }) => lines === 2).length === 15);
    expect(answered(clients)).toEqual(Array.from({ length: 15 }, (_client, number) => number));
    expect(queue.counters).toMatchObject({ active: 15, held: 5 });
    const rows = kernelRows(queue.port);
    clients.forEach((client, number) => {
      const held = `${number}\nagain\n`.length;
      expect(rows.get(client.localPort)).toMatchObject({
        state: 'ESTABLISHED',
        unread: number < 15 ? 0 : held,
      });
    });
    expect(server.sockets.size).toBe(15);
    expect(endsOf(queue.events(), EventKind.connectStarted).size).toBe(15);
  });

  it.each([
    ['fifo', 2],
    ['lifo', 5],
  ] as const)('%s: a slot that is free again goes to the right one', async (order, next) => {
    const { queue } = await start({ activeMax: 2, order });
    const clients = await clientsInTurn(queue, 6);
    await until('two answers', () => answered(clients).length === 2);
    clients[0]?.socket.end();
    await until('a third', () => answered(clients).length === 3);
    expect(answered(clients)).toEqual([0, 1, next]);
    // One that leaves by a reset gives its slot back too.
    clients[1]?.socket.resetAndDestroy();
    await until('a fourth', () => answered(clients).length === 4);
    expect(mostActive(await queue.stop())).toBe(2);
  });

  it('does not notice who has left: the dead take slots, and are asked all the same', async () => {
    const { queue, server } = await start({ activeMax: 1 });
    const [golden, finished, reset, last] = await clientsInTurn(queue, 4);
    if (!golden || !finished || !reset || !last) throw new Error('four clients');
    await until('the first answer', () => golden.lines === 1);
    const { localPort } = finished;
    finished.socket.destroy();
    reset.socket.resetAndDestroy();
    await pause(50);
    expect(kernelRows(queue.port).get(localPort)).toMatchObject({ state: 'CLOSE_WAIT' });
    expect(kernelRows(queue.port).size).toBe(3);
    expect(queue.counters).toMatchObject({ active: 1, held: 3 });
    expect(downstreamCauses(queue.events())).toEqual([]);
    golden.socket.end();
    await until('the last is served', () => last.lines === 1);
    // A request is made for nobody. The kernel keeps that of the reset one too, but the reset
    // behind it may be heard before the server side is up.
    expect(server.lines.filter((line) => line !== '2')).toEqual(['0', '1', '3']);
    expect(endsOf(queue.events(), EventKind.connectStarted).size).toBe(4);
  });

  it('answers a client that half-closes behind its request, while it is held', async () => {
    const { queue } = await start({ activeMax: 1 });
    const [golden, second] = await clientsInTurn(queue, 2);
    if (!golden || !second) throw new Error('two clients');
    second.socket.end('more\n');
    await until('the first answer', () => golden.lines === 1);
    await pause(20);
    golden.socket.end();
    await until('the whole answer', () => second.ended);
    expect(second.text).toBe('pong 1\npong more\n');
    await until('both are gone', () => queue.counters.active + queue.counters.held === 0);
    expect(downstreamCauses(await queue.stop())).toEqual(['peer_fin', 'peer_fin']);
  });
});

describe('limits', () => {
  it('closes what is too much, and what waits too long, each with its cause', async () => {
    const { queue } = await start({ activeMax: 2, heldMax: 3, heldTimeout: 60_000 });
    const clients = await clientsInTurn(queue, 7);
    await until('two are closed', () => clients.slice(5).every(({ over }) => over));
    await until('three more', () => clients.slice(2).every(({ over }) => over));
    expect(answered(clients)).toEqual([0, 1]);
    const rows = queue.events();
    expect(downstreamCauses(rows).sort()).toEqual([
      ...['overflow', 'overflow'],
      ...['queue_timeout', 'queue_timeout', 'queue_timeout'],
    ]);
    for (const { end, at } of rows.filter(({ kind }) => kind === EventKind.closed)) {
      const [cause] = causesOf(rows, new Set([end]));
      const since = rows.find((row) => row.end === end && row.kind === EventKind.accepted)?.at ?? 0;
      if (cause === 'queue_timeout') expect(at - since).toBeGreaterThanOrEqual(60_000);
    }
    // Room again: as many may come as were closed.
    const more = await clientsInTurn(queue, 3);
    expect(more.every(({ over }) => !over)).toBe(true);
    expect(queue.counters.held).toBe(3);
  });

  it('a server that refuses costs its client the connection, not the queue a slot', async () => {
    const { queue, server } = await start({ activeMax: 1 });
    await server.close();
    const clients = await clientsInTurn(queue, 3);
    await until('all were reset', () => clients.every(({ error }) => error === 'ECONNRESET'));
    expect(queue.counters).toMatchObject({ active: 0, held: 0 });
    expect(downstreamCauses(await queue.stop())).toEqual(['peer_rst', 'peer_rst', 'peer_rst']);
  });

  it('takes a new `activeMax` and the cure while running', async () => {
    const { queue } = await start({ activeMax: 1 });
    const clients = await clientsInTurn(queue, 8);
    await until('one answer', () => answered(clients).length === 1);
    const set = (path: string, to: number | string): boolean =>
      queue.live.apply({ action: 'set', path, to });
    expect(set('other.activeMax', 3)).toBe(false);
    expect(set('queue.activeMax', 3)).toBe(true);
    await until('two more', () => answered(clients).length === 3);
    await pause(30);
    expect(answered(clients)).toEqual([0, 1, 2]);
    expect(set('queue.reclaim', 'idle-yield')).toBe(true);
    await until('everybody', () => answered(clients).length === 8);
    expect(mostActive(await queue.stop())).toBe(3);
  });
});

describe('idle-yield', () => {
  const cure = { reclaim: 'idle-yield' } as const;

  it('serves 60 clients over 15 slots, again and again, never more at a time', async () => {
    const { queue, server } = await start(cure, async (line, socket) => {
      await pause(2);
      pong(line, socket);
    });
    const clients = Array.from({ length: 60 }, () => connect(queue));
    for (let round = 1; round <= 4; round++) {
      for (const client of clients) client.say(`${round}\n`);
      await until(`round ${round}`, () => clients.every(({ lines }) => lines === round));
    }
    for (const client of clients) expect(client.text).toBe('pong 1\npong 2\npong 3\npong 4\n');
    // Every answer came within its turn, so that no slot was lent twice.
    expect(server.atWork.most).toBeLessThanOrEqual(15);
    expect(queue.counters.held + queue.counters.active).toBe(60);
    const rows = await queue.stop();
    expect(mostActive(rows)).toBe(15);
    // Yielding closes nothing: each client had one connection, and one behind the queue.
    expect(endsOf(rows, EventKind.accepted).size).toBe(60);
    expect(endsOf(rows, EventKind.connected).size).toBe(60);
    expect(new Set(downstreamCauses(rows))).toEqual(new Set(['shutdown']));
  });

  it.each(['unread', 'watch'] as const)(
    '%s: pipelined requests and answers that pause are whole, byte for byte',
    async (whileHeld) => {
      const answers = Array.from({ length: 40 }, (_, size) => randomBytes(size * size * 40));
      const { queue } = await start(
        { ...cure, activeMax: 2, reclaimAfter: 1_000, whileHeld },
        async (line, socket) => {
          const bytes = answers[Number(line)] ?? Buffer.alloc(0);
          const cut = Math.floor(bytes.length / 3);
          socket.write(bytes.subarray(0, cut));
          // Much longer than reclaimAfter, in the middle of a response and between two.
          if (Number(line) % 4 === 0) await pause(8);
          socket.write(bytes.subarray(cut));
          if (Number(line) % 5 === 0) await pause(6);
        },
      );
      const clients = Array.from({ length: 8 }, () => connect(queue));
      const asked = clients.map((client, number) => {
        const wanted = Array.from({ length: 30 }, (_, turn) => (turn * 7 + number * 3) % 40);
        // In one piece, in pieces cut anywhere, and a byte at a time.
        const text = wanted.map((one) => `${one}\n`).join('');
        const step = [text.length, 5, 1][number % 3] ?? 1;
        for (let at = 0; at < text.length; at += step) client.say(text.slice(at, at + step));
        return Buffer.concat(wanted.map((one) => answers[one] ?? Buffer.alloc(0)));
      });
      await until('everything has come', () =>
        clients.every(({ bytes }, number) => bytes.length >= (asked[number]?.length ?? 0)),
      );
      clients.forEach(({ bytes, closed }, number) => {
        expect(bytes.equals(asked[number] ?? Buffer.alloc(0))).toBe(true);
        expect(closed).toBe(false);
      });
      const rows = await queue.stop();
      expect(mostActive(rows)).toBe(2);
      const yields = rows.filter(({ kind, a }) => kind === EventKind.slot && a === 3);
      expect(yields.length).toBeGreaterThan(5);
    },
  );

  /** One slot; the first client has been served and has lost the slot to the second. */
  async function oneYielded(changes: Partial<ConnectionQueueHop> = {}, answer: AnswerLine = pong) {
    const { queue, server } = await start({ ...cure, activeMax: 1, ...changes }, answer);
    const [first, second] = await clientsInTurn(queue, 2);
    if (!first || !second) throw new Error('two clients');
    const slotOf = (client: ByteClient): number => {
      const port = packAddress('127.0.0.1', client.localPort);
      const rows = queue.events();
      const end = rows.find(({ kind, b }) => kind === EventKind.accepted && b === port)?.end;
      return rows.findLast((row) => row.kind === EventKind.slot && row.end === end)?.a ?? 0;
    };
    await until('the second has the slot', () => slotOf(second) === SlotState.active);
    expect(slotOf(first)).toBe(SlotState.yielded);
    return { queue, server, first, second, slotOf };
  }

  it('a yielded client that leaves is seen to leave, and so is its server side', async () => {
    const { queue, server, first, second } = await oneYielded();
    await until('both were answered', () => first.lines === 1 && second.lines === 1);
    first.socket.end();
    await until('the server side has closed too', () => server.sockets.size === 1);
    await until('the client hears FIN', () => first.ended && first.closed);
    second.say('still here\n');
    await until('the second goes on', () => second.lines === 2);
    expect(queue.counters).toMatchObject({ active: 1, held: 0 });
  });

  it('a yielded client half-closes behind a request: it is answered in its turn', async () => {
    let release: () => void = () => {};
    const { queue, first, slotOf } = await oneYielded({}, async (line, socket) => {
      if (line === '1') {
        await new Promise<void>((resolve) => {
          release = resolve;
        });
      }
      pong(line, socket);
    });
    first.socket.end('and this\n');
    await until('the first waits', () => slotOf(first) === SlotState.held);
    await pause(30);
    expect(first.text).toBe('pong 0\n');
    release();
    await until('the whole answer', () => first.ended);
    expect(first.text).toBe('pong 0\npong and this\n');
    expect(downstreamCauses(await queue.stop()).sort()).toEqual(['peer_fin', 'shutdown']);
  });

  it('a response that goes on after its slot was taken is delivered whole', async () => {
    const tail = randomBytes(300_000);
    const { queue, server, first, second } = await oneYielded({}, async (line, socket) => {
      socket.write('begin');
      if (line === '0') await pause(60);
      socket.write(line === '0' ? tail : '\n');
    });
    await until('the tail has come', () => first.bytes.length === 5 + tail.length);
    expect(first.bytes.subarray(5).equals(tail)).toBe(true);
    await until('the second was answered', () => second.text === 'begin\n');
    expect(server.atWork.most).toBe(2);
    expect(mostActive(await queue.stop())).toBe(1);
  });

  it('a server that ends a yielded connection is heard by its client at once', async () => {
    const { queue, server, first, second } = await oneYielded();
    const [oldest] = server.sockets;
    oldest?.end();
    await until('the client hears FIN', () => first.ended);
    // The other direction is still open: whether this is too late is for the server to say.
    first.say('a last word\n');
    await until('the server hears it, in its turn', () => server.lines.includes('a last word'));
    first.socket.end();
    await until('it is gone', () => first.closed);
    second.say('more\n');
    await until('the second goes on', () => second.lines === 2);
    expect(queue.counters).toMatchObject({ active: 1, held: 0 });
  });
});

describe('watch', () => {
  const watch = { whileHeld: 'watch', activeMax: 1 } as const;

  it('sees a held client leave, by FIN and by RST, before it ever had a slot', async () => {
    const { queue, server } = await start(watch);
    const [golden, finished, reset, last] = await clientsInTurn(queue, 4);
    if (!golden || !finished || !reset || !last) throw new Error('four clients');
    finished.socket.end();
    reset.socket.resetAndDestroy();
    await until('both are gone', () => queue.counters.held === 1);
    expect(downstreamCauses(queue.events()).sort()).toEqual(['peer_fin', 'peer_rst']);
    golden.socket.end();
    await until('the last is served', () => last.lines === 1);
    expect(server.lines).toEqual(['0', '3']);
    // A server side was made only for those who had a slot.
    expect(endsOf(queue.events(), EventKind.connectStarted).size).toBe(2);
  });

  it('gives no slot to one that says nothing, and closes it in time', async () => {
    const { queue } = await start({ ...watch, heldTimeout: 100_000 });
    const silent = connect(queue);
    await until('it is held', () => queue.counters.held === 1);
    const [talks] = await clientsInTurn(queue, 1);
    await until('the other is served', () => talks?.lines === 1);
    expect(queue.counters).toMatchObject({ active: 1, held: 1 });
    await until('the silent one is closed', () => silent.over);
    expect(downstreamCauses(queue.events())).toEqual(['queue_timeout']);
  });

  it('keeps a bounded part of a large request, and passes all of it on', async () => {
    const got: string[] = [];
    const { queue } = await start(watch, (line, socket) => {
      got.push(line);
      pong(`${line.length}`, socket);
    });
    const [golden] = await clientsInTurn(queue, 1);
    const large = connect(queue);
    const upload = randomBytes(2_000_000).toString('base64');
    large.say(`${upload}\n`);
    await until('its bytes pile up', () => large.socket.writableLength > 0);
    await until('it is held', () => queue.counters.held === 1);
    await pause(50);
    const row = kernelRows(queue.port).get(large.localPort);
    // What the queue does not take stays in the kernel, then at the client.
    expect(row?.unread).toBeGreaterThan(0);
    expect(large.lines).toBe(0);
    golden?.socket.end();
    await until('the answer', () => large.lines === 1);
    expect(large.text).toBe(`pong ${upload.length}\n`);
    expect(got[1] === upload).toBe(true);
  });
});
