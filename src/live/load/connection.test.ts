/** One connection against a server that sends every kind of bytes. */
import type net from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { EventKind, exchangeFailureCode } from '../../model/event.ts';
import type { Endpoint } from '../../model/run.ts';
import { testPool, until } from '../test-support.ts';
import {
  attempts,
  causes,
  cleanUp,
  closed,
  OK,
  ofKind,
  open,
  outcomes,
  rawServer,
  startClients,
} from './test-clients.case.ts';

afterEach(cleanUp);

const PROTOCOL_ERROR = -exchangeFailureCode('protocol_error');
const RESET = -exchangeFailureCode('reset');

/** Sends each piece in a write, and so mostly in a packet, of its own. */
function dribble(
  socket: net.Socket,
  pieces: readonly string[],
  after: () => void = () => {},
): void {
  const [first, ...rest] = pieces;
  if (first === undefined) {
    after();
    return;
  }
  socket.write(first, 'latin1');
  setTimeout(() => dribble(socket, rest, after), 2);
}

/** One client's first outcomes and what became of its connections. */
async function ask(target: Endpoint, requests = 1) {
  const clients = await startClients({ workload: closed(2_000) }, [target]);
  const { counters } = clients;
  await until(`${requests} outcomes`, () => counters.answered + counters.failed >= requests);
  clients.live.endLoad();
  const rows = await clients.stop();
  return {
    outcomes: outcomes(rows).slice(0, requests),
    causes: causes(rows),
    connections: ofKind(rows, EventKind.connected).length,
    rows,
  };
}

describe('good responses', () => {
  const responses: Record<string, string> = {
    'content-length': OK,
    'no body at all': 'HTTP/1.1 204 No Content\r\n\r\n',
    chunked:
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n10;x=y\r\n' +
      '0123456789abcdef\r\n0\r\nTrailer: yes\r\n\r\n',
    'after interim ones':
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n' +
      'HTTP/1.1 201 Created\r\nContent-Length: 3\r\n\r\nyes',
  };
  for (const [name, response] of Object.entries(responses)) {
    it(`${name}: in one piece, and a byte at a time, on one connection`, async () => {
      const target = await rawServer((socket, _connection, request) => {
        if (request === 1) dribble(socket, [...response]);
        else socket.write(response, 'latin1');
      });
      const { outcomes: got, connections } = await ask(target, 3);
      const statuses = new Set(got);
      expect(statuses.size).toBe(1);
      expect([200, 201, 204]).toContain([...statuses][0]);
      expect(connections).toBe(1);
    });
  }

  it('a body that ends with its connection', async () => {
    const target = await rawServer((socket) => {
      dribble(socket, ['HTTP/1.1 200 OK\r\n\r\nsome', ' more', ' text'], () => socket.end());
    });
    const got = await ask(target, 2);
    expect(got.outcomes).toEqual([200, 200]);
    expect(got.causes.slice(0, 2)).toEqual(['peer_fin', 'peer_fin']);
  });

  it('a server that says it closes: the connection is not used again', async () => {
    // It says so and does not do it: the next request must not go there all the same.
    const target = await rawServer((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    });
    const got = await ask(target, 3);
    expect(got.outcomes).toEqual([200, 200, 200]);
    const ends = attempts(got.rows).map(({ end }) => end);
    expect(new Set(ends).size).toBe(ends.length);
  });
});

describe('bad responses', () => {
  const broken: Record<string, string> = {
    'no HTTP at all': '220 ready for mail\r\n',
    'both lengths':
      'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'a bad chunk size': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n',
    'switching protocols': 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n',
    'interim responses without end': 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(40),
    'a head without end': `HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(20_000)}`,
  };
  for (const [name, response] of Object.entries(broken)) {
    it(`${name}: a protocol error, and a new connection for the next request`, async () => {
      let asked = 0;
      const target = await rawServer((socket) => {
        asked += 1;
        socket.write(asked === 1 ? response : OK);
      });
      const got = await ask(target, 2);
      expect(got.outcomes).toEqual([PROTOCOL_ERROR, 200]);
      expect(got.causes[0]).toBe('protocol_error');
      const [broken, next] = attempts(got.rows);
      expect(next?.end).not.toBe(broken?.end);
    });
  }

  it('a body cut short: a reset, and no stale retry, for bytes had come', async () => {
    let asked = 0;
    const target = await rawServer((socket) => {
      asked += 1;
      if (asked === 2) socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort');
      else socket.write(OK);
    });
    const got = await ask(target, 3);
    expect(got.outcomes).toEqual([200, RESET, 200]);
    const numbers = attempts(got.rows).map(({ b }) => b);
    expect(numbers.slice(0, 3)).toEqual([1, 2, 3]);
  });

  it('bytes behind a response are never the answer to the request that waits', async () => {
    // Each request gets its answer with a second one glued to it, a forged 418.
    const forged = OK + OK.replace('200 OK', '418 Forged');
    const target = await rawServer((socket) => socket.write(forged));
    const clients = await startClients(
      { workload: open(2_000), pool: testPool({ connectionsMax: 2 }) },
      [target],
    );
    await until('100 answers', () => clients.counters.answered >= 100);
    clients.live.endLoad();
    const rows = await clients.stop();
    expect(new Set(outcomes(rows))).toEqual(new Set([200]));
    expect(new Set(causes(rows).slice(0, 100))).toEqual(new Set(['protocol_error']));
  });

  it('bytes on an idle connection close it', async () => {
    let asked = 0;
    const target = await rawServer((socket) => {
      asked += 1;
      socket.write(OK);
      if (asked === 1) setTimeout(() => socket.write(OK.replace('200', '418')), 20);
    });
    const clients = await startClients({ workload: closed(80_000) }, [target]);
    await until('two answers', () => clients.counters.answered === 2);
    const rows = await clients.stop();
    expect(outcomes(rows)).toEqual([200, 200]);
    expect(causes(rows)[0]).toBe('protocol_error');
  });
});
