/**
 * Servers that misbehave, behind real hops in a run (one-process.ts): whatever they do to their
 * connections ends in failures that are counted and in books that balance.
 */
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { listenOn } from '../../src/live/io/listen-on.ts';
import type { Measured } from '../../src/measure/strike.ts';
import { OneProcess } from './one-process.ts';
import { only, users } from './pipelines.ts';

const BODY = 'x'.repeat(40);
const OK = `HTTP/1.1 200 OK\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`;
const HALF = OK.slice(0, -BODY.length / 2);

/** What a server does with a connection, and with each request on it. */
interface Server {
  readonly accepted?: (socket: net.Socket) => void;
  readonly asked?: (socket: net.Socket) => void | Promise<void>;
  /** Keeps its side open when the other has sent FIN; else it answers FIN with FIN. */
  readonly ignoresFin?: boolean;
}

async function serve({ accepted, asked, ignoresFin = false }: Server) {
  const sockets = new Set<net.Socket>();
  const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    let rest = '';
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.on('end', () => {
      if (!ignoresFin) socket.end();
    });
    socket.setEncoding('latin1').on('data', (text: string) => {
      const heads = (rest + text).split('\r\n\r\n');
      rest = heads.pop() ?? '';
      for (const _head of heads) void asked?.(socket);
    });
    accepted?.(socket);
  });
  const { port } = await listenOn(server, null);
  return {
    port,
    [Symbol.dispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

/** RST and nothing else: `resetAndDestroy` sends a FIN before it. */
function reset(socket: net.Socket): void {
  Reflect.set(socket, 'resetAndClosing', true);
  socket.destroy();
}

const USERS = 6;
/** Enough for each user to have had an answer, or none, and a bit more. */
const REQUESTS = 3 * USERS;

const CHAINS = {
  'edge, gateway, balancer, queue': [
    { name: 'cdn', kind: 'edge' },
    { name: 'apigw', kind: 'gateway', nodes: 2 },
    { name: 'nlb', kind: 'l4-balancer', healthCheck: { enabled: false } },
    { name: 'queue', kind: 'connection-queue', activeMax: 15 },
  ],
  'L7 balancer': [{ name: 'alb', kind: 'l7-balancer', healthCheck: { enabled: false } }],
  'queue alone': [{ name: 'queue', kind: 'connection-queue', activeMax: 15 }],
} as const;
type ChainName = keyof typeof CHAINS;

async function runAgainst(chain: ChainName, server: Server, timeout: string): Promise<Measured> {
  const hops = [
    users(USERS, '20ms', { timeout, retry: { attemptsMax: 1 } }),
    ...CHAINS[chain],
    { name: 'far', kind: 'app' },
  ];
  using far = await serve(server);
  await using run = await OneProcess.start({ hops, played: { far: far.port } });
  await run.issued(REQUESTS);
  return await run.strike();
}

// Side by side: most of the time nothing moves, because it has to be seen that nothing moves.
describe.concurrent.each(Object.keys(CHAINS) as ChainName[])('behind: %s', (chain) => {
  const outcome = async (server: Server, timeout = '30s') => {
    const summary = await runAgainst(chain, server, timeout);
    const { requests } = only(summary.clients);
    const { opened, closedBy, failedConnects } = summary.links.at(-1) ?? only([]);
    expect(requests.sent).toBeGreaterThan(5);
    expect((opened ?? 0) + failedConnects).toBeGreaterThan(0);
    return { requests, opened, causes: Object.keys(closedBy) };
  };

  it('it trickles, a byte at a time: every answer is whole', async () => {
    const { requests } = await outcome({
      asked: async (socket) => {
        for (const byte of OK) {
          if (!socket.writable) return;
          socket.write(byte);
          await new Promise((resolve) => setImmediate(resolve));
        }
      },
    });
    expect(requests.ok).toBeGreaterThan(5);
    expect(requests.failed).toBe(0);
  });

  it('it never answers, and closes once its client has', async () => {
    const { requests } = await outcome({}, '150ms');
    expect(requests.timeouts).toBe(requests.failed);
    expect(requests.timeouts).toBeGreaterThan(5);
  });

  it('it never answers and never closes', async () => {
    const { requests } = await outcome({ ignoresFin: true }, '150ms');
    expect(requests.timeouts).toBe(requests.failed);
    expect(requests.timeouts).toBeGreaterThan(3);
  });

  it('it resets in the middle of its answer', async () => {
    const { requests, causes } = await outcome({
      asked: async (socket) => {
        socket.write(HALF);
        await sleep(3);
        reset(socket);
      },
    });
    expect(requests.ok).toBe(0);
    expect(requests.resets).toBeGreaterThan(5);
    expect(causes).toEqual(['peer_rst']);
  });

  it('it ends in the middle of its answer', async () => {
    const { requests, causes } = await outcome({ asked: (socket) => void socket.end(HALF) });
    expect(requests.ok).toBe(0);
    expect(requests.resets).toBeGreaterThan(5);
    expect(causes).toEqual(['peer_fin']);
  });

  it('it resets what it has just accepted', async () => {
    const { requests } = await outcome({ accepted: reset });
    expect(requests.ok).toBe(0);
    expect(requests.serverErrors5xx + requests.resets).toBeGreaterThan(5);
  });

  it('it sends FIN as soon as it has accepted, and reads on', async () => {
    const { requests } = await outcome({ accepted: (socket) => void socket.end() });
    expect(requests.ok).toBe(0);
    expect(requests.serverErrors5xx + requests.resets).toBeGreaterThan(5);
  });

  it('it sends FIN instead of an answer, and reads on', async () => {
    const { requests } = await outcome({ asked: (socket) => void socket.end() });
    expect(requests.ok).toBe(0);
    expect(requests.serverErrors5xx + requests.resets).toBeGreaterThan(5);
  });

  it('it sends FIN behind each answer, though it has promised to go on', async () => {
    const { requests, opened } = await outcome({ asked: (socket) => void socket.end(OK) });
    expect(requests.ok).toBeGreaterThan(5);
    expect(opened).toBeGreaterThan(5);
  });
});

/** The first packet of a MySQL server, cut off: its length says 74 bytes. */
const HALF_GREETING = Buffer.from('4a0000000a352e', 'hex').toString('latin1');

describe.concurrent.each(['node', 'builtin'])(
  'behind an app (%s), a database',
  (implementation) => {
    // node: mysql2 takes what is not MySQL for a long packet, and waits for the rest.
    const babble = implementation === 'node' ? [] : ['protocol_error'];

    it.each<[string, Server, readonly string[]]>([
      ['never says a word', {}, []],
      ['resets at once', { accepted: reset }, ['peer_rst']],
      ['sends FIN at once', { accepted: (socket) => void socket.end() }, ['peer_fin']],
      ['babbles', { accepted: (socket) => void socket.write(OK) }, babble],
      [
        'ends in the middle of its greeting',
        { accepted: (socket) => void socket.end(HALF_GREETING, 'latin1') },
        ['peer_fin'],
      ],
    ])('that %s', async (_name, server, causes) => {
      using far = await serve(server);
      const hops = [
        users(USERS, '20ms', { timeout: '200ms', retry: { attemptsMax: 1 } }),
        { name: 'app', kind: 'app', implementation },
        { name: 'db', kind: 'database' },
      ];
      await using run = await OneProcess.start({ hops, played: { db: far.port } });
      await run.issued(REQUESTS);
      const summary = await run.strike();
      const { requests } = only(summary.clients);
      expect(requests.ok).toBe(0);
      expect(requests.serverErrors5xx + requests.timeouts).toBeGreaterThan(5);
      // Whether a reset comes before or after the connect is seen, is chance.
      for (const cause of Object.keys(summary.links.at(-1)?.closedBy ?? {})) {
        expect(causes).toContain(cause);
      }
    });
  },
);
