/**
 * The app's own MySQL client against servers that misbehave. What it does with good ones is in
 * hops/app.test.ts (embedded) and foreign/mariadb.test.ts (MariaDB), beside mysql2.
 */
import { randomBytes } from 'node:crypto';
import net from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type EventBlock, EventWriter } from '../../stream/columns.ts';
import { Handshake } from '../database/handshake.ts';
import { SELECT_ITEM } from '../database/items.ts';
import { EndRegistry } from '../io/connection-end.ts';
import { listenOn } from '../io/listen-on.ts';
import { Clock } from '../runtime/clock.ts';
import { testLinks } from '../test-support.ts';
import { BuiltinSession } from './builtin-session.ts';
import { packetOf } from './client-packets.ts';
import type { QueryFailure } from './database-session.ts';

const OK = Buffer.from([0, 0, 0, 2, 0, 0, 0]);
const servers: net.Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** A session with a server that answers the client's n-th chunk with `answers[n]`. */
async function session(answers: readonly Buffer[]) {
  const server = net.createServer((socket) => {
    const left = [...answers];
    const next = (): void => {
      const answer = left.shift();
      if (answer !== undefined) socket.write(answer);
    };
    socket.on('error', () => {}).on('data', next);
    next();
  });
  servers.push(server);
  const { address, port } = await listenOn(server, null);
  const blocks: EventBlock[] = [];
  const ends = new EndRegistry(new Clock(), new EventWriter(0, (block) => blocks.push(block)), 0, {
    next: 0,
  });
  const heard: (QueryFailure | 'up' | null)[] = [];
  const made = new BuiltinSession(
    ends,
    testLinks.outgoing,
    { instance: 0, link: 0, address, port },
    { user: 'u', password: 'p', database: 'd' },
    { up: () => heard.push('up'), lost: (failure) => heard.push(failure) },
  );
  return { made, heard, ends };
}

const greeting = (): Buffer => packetOf(0, new Handshake().greeting(1));

describe("the app's own MySQL client", () => {
  it('is lost once, and closed, whatever bytes greet it or answer it', async () => {
    for (let round = 0; round < 30; round++) {
      const noise = randomBytes(1 + round * 7);
      // A length that says "there is more" would make it wait, rightly.
      noise[2] = 0;
      noise[1] = 0;
      noise[0] = Math.min(round, Math.max(0, noise.length - 4));
      const answers = round % 2 === 0 ? [noise] : [greeting(), packetOf(2, OK), noise];
      const { made, heard, ends } = await session(answers);
      if (round % 2 === 1) {
        await expect.poll(() => heard).toContain('up');
        made.prepare(SELECT_ITEM, () => {});
      }
      setTimeout(() => made.destroy(), 20);
      await expect.poll(() => ends.live.size).toBe(0);
      expect(heard.filter((one) => one !== 'up')).toHaveLength(1);
    }
  });

  it('says what it cannot do when the server insists on another method', async () => {
    const request = Buffer.from('\xfecaching_sha2_password\0aaaaaaaaaaaaaaaaaaaa\0', 'latin1');
    const { heard, ends } = await session([greeting(), packetOf(2, request)]);
    await expect.poll(() => ends.live.size).toBe(0);
    expect(heard).toMatchObject([{ code: 'AUTH_NOT_SUPPORTED' }]);
  });

  it("passes on the server's refusal by mysql2's name for it", async () => {
    const refusal = Buffer.concat([Buffer.from([255, 0x10, 4]), Buffer.from('#08004Too many')]);
    const { heard, ends } = await session([packetOf(0, refusal)]);
    await expect.poll(() => ends.live.size).toBe(0);
    expect(heard).toEqual([{ code: 'ER_CON_COUNT_ERROR', message: 'Too many' }]);
  });

  it('does not take a result whose columns are not those that were prepared', async () => {
    const prepared = Buffer.alloc(12);
    prepared[1] = 7;
    const answers = [greeting(), packetOf(2, OK), packetOf(1, prepared), packetOf(1, Buffer.of(2))];
    const { made, heard, ends } = await session(answers);
    await expect.poll(() => heard).toEqual(['up']);
    const failure = await new Promise((resolve) => made.prepare('x', resolve));
    expect(failure).toBeNull();
    made.execute('x', [], () => heard.push('up'));
    await expect.poll(() => ends.live.size).toBe(0);
    expect(heard).toMatchObject(['up', { code: 'PROTOCOL_ERROR' }]);
  });
});
