/** The L4 balancer (and the targets of all balancers) between real clients and real servers. */
import http from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { EventKind } from '../../model/event.ts';
import type { Endpoint, Instance } from '../../model/run.ts';
import type { L4BalancerHop } from '../../model/topology.ts';
import { listenOn } from '../io/listen-on.ts';
import { causesOf, endsOf, type RunningHop, startHop } from '../test-http.case.ts';
import { type EventRow, testLinks, testMachine, until } from '../test-support.ts';
import { createL4Balancer } from './l4-balancer.ts';
import { ByteClient, type LineServer, lineServer, pause } from './test-l4.case.ts';

const settings: L4BalancerHop = {
  kind: 'l4-balancer',
  implementation: 'builtin',
  name: 'nlb',
  upstream: 'queue',
  listen: null,
  ...testMachine,
  algorithm: 'flow-hash',
  idleTimeout: 0,
  deregistrationDelay: 10_000_000,
  healthCheck: {
    enabled: true,
    hop: 'nginx',
    path: '/alive',
    interval: 20_000,
    // No machine is so busy that an answer takes as long twice in a row.
    timeout: 1_500_000,
    healthyThreshold: 2,
    unhealthyThreshold: 2,
  },
};

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

/** A host: the server of its traffic port, and how its alive-check port answers. */
interface Host {
  readonly server: LineServer;
  readonly alive: Endpoint;
  health: 'well' | 'ill' | 'silent';
  probes: number;
}

/** Hosts whose servers answer each line with their own number. */
async function startHosts(count: number): Promise<Host[]> {
  const hosts: Host[] = [];
  for (let number = 0; number < count; number++) {
    const instance = number + 1;
    const server = await lineServer((_line, socket) => void socket.write(`${number}\n`), instance);
    const checks = http.createServer((_request, response) => {
      host.probes += 1;
      if (host.health === 'silent') return;
      response.statusCode = host.health === 'well' ? 200 : 500;
      response.end();
    });
    const { address, port } = await listenOn(checks, null);
    const alive = { instance, link: testLinks.aliveOutgoing.index, address, port };
    const host: Host = { server, alive, health: 'well', probes: 0 };
    hosts.push(host);
    cleanups.push(async () => {
      await server.close();
      checks.closeAllConnections();
      await new Promise((resolve) => checks.close(resolve));
    });
  }
  return hosts;
}

async function start(
  hosts: readonly Host[],
  changes: Partial<L4BalancerHop> = {},
  checks = false,
): Promise<RunningHop> {
  const others: Instance[] = hosts.map((_host, replica) => ({
    index: replica + 1,
    hop: 'queue',
    replica,
    host: `ec2#${replica}`,
    process: 0,
  }));
  const balancer = await startHop(
    createL4Balancer,
    { ...settings, ...changes },
    {
      others,
      targets: hosts.map(({ server }) => server.endpoint),
      ...(checks ? { aliveTargets: hosts.map(({ alive }) => alive) } : {}),
    },
  );
  cleanups.push(() => balancer.stop());
  return balancer;
}

function connect(balancer: RunningHop): ByteClient {
  const client = new ByteClient(balancer.port);
  cleanups.push(async () => client.socket.destroy());
  return client;
}

/** Opens connections one after the other; which host answered each. They stay open. */
async function flows(balancer: RunningHop, count: number) {
  const opened: { client: ByteClient; host: number }[] = [];
  for (let i = 0; i < count; i++) {
    const client = connect(balancer);
    client.say('who?\n');
    await until('an answer', () => client.lines === 1);
    opened.push({ client, host: Number(client.text) });
  }
  return opened;
}

const hostsOf = (opened: readonly { host: number }[]): number[] => opened.map(({ host }) => host);
const healthRows = (balancer: RunningHop) =>
  balancer
    .events()
    .filter(({ kind }) => kind === EventKind.health)
    .map(({ a, b }) => ({ host: a - 1, healthy: b }));

describe('flows', () => {
  it('a flow keeps its target for life; hashed flows reach all of them', async () => {
    const hosts = await startHosts(3);
    const balancer = await start(hosts);
    const opened = await flows(balancer, 45);
    for (let round = 2; round <= 5; round++) {
      for (const { client } of opened) client.say(`${round}\n`);
      await until('answers', () => opened.every(({ client }) => client.lines === round));
    }
    for (const { client, host } of opened) expect(client.text).toBe(`${host}\n`.repeat(5));
    // Each of 45 misses a given one of three with a chance of 1 in 80 million.
    expect(new Set(hostsOf(opened))).toEqual(new Set([0, 1, 2]));
    expect(hosts.reduce((sum, { server }) => sum + server.sockets.size, 0)).toBe(45);
    expect(balancer.counters.requests).toBe(45);
    const rows = await balancer.stop();
    const paired = rows.filter(({ kind }) => kind === EventKind.paired);
    expect(new Set(paired.map(({ end }) => end))).toEqual(endsOf(rows, EventKind.accepted));
    expect(new Set(paired.map(({ a }) => a))).toEqual(endsOf(rows, EventKind.connected));
  });

  it('round-robin takes turns; least-connections counts what is open', async () => {
    const hosts = await startHosts(3);
    const turns = await start(hosts, { algorithm: 'round-robin' });
    expect(hostsOf(await flows(turns, 7)).sort()).toEqual([0, 0, 0, 1, 1, 2, 2]);
    const least = await start(hosts, { algorithm: 'least-connections' });
    const opened = await flows(least, 6);
    expect(hostsOf(opened).sort()).toEqual([0, 0, 1, 1, 2, 2]);
    const freed = opened.filter(({ host }) => host === 1);
    for (const { client } of freed) client.socket.end();
    await until('they are gone', () => freed.every(({ client }) => client.closed));
    await until('the balancer knows', () => {
      const rows = least.events();
      return causesOf(rows, endsOf(rows, EventKind.accepted)).length === 2;
    });
    expect(hostsOf(await flows(least, 2))).toEqual([1, 1]);
  });

  it('without targets, or with one that refuses, the client is reset', async () => {
    const none = await start([]);
    const lost = connect(none);
    await until('a reset', () => lost.error === 'ECONNRESET');
    const rows = await none.stop();
    expect(causesOf(rows, endsOf(rows, EventKind.accepted))).toEqual(['local_rst']);
    const hosts = await startHosts(1);
    const balancer = await start(hosts, { algorithm: 'least-connections' });
    await hosts[0]?.server.close();
    const refused = connect(balancer);
    await until('a reset', () => refused.error === 'ECONNRESET');
    const after = await balancer.stop();
    expect(causesOf(after, endsOf(after, EventKind.accepted))).toEqual(['peer_rst']);
  });
});

describe('idle timeout', () => {
  /** Flows that have been forgotten, and their sockets at the server; nobody was told. */
  async function forgotten(count: number) {
    const [host] = await startHosts(1);
    if (!host) throw new Error('a host');
    const balancer = await start([host], { idleTimeout: 60_000 });
    const clients = (await flows(balancer, count)).map(({ client }) => client);
    await pause(120);
    expect(balancer.events().filter(({ kind }) => kind === EventKind.closed)).toEqual([]);
    expect(clients.some(({ over }) => over)).toBe(false);
    const sockets = [...host.server.sockets].map((socket) => {
      const heard = { socket, end: false, error: '' };
      socket.on('end', () => {
        heard.end = true;
      });
      socket.on('error', (error: NodeJS.ErrnoException) => {
        heard.error = error.code ?? '';
      });
      return heard;
    });
    return { balancer, host, clients, sockets };
  }
  const causes = (rows: readonly EventRow[], kind: number): string[] =>
    causesOf(rows, endsOf(rows, kind));

  it('whoever speaks next is reset, client or server, and the other is not told', async () => {
    const { balancer, host, clients, sockets } = await forgotten(2);
    const [one, two] = clients;
    const [first, second] = sockets;
    if (!one || !two || !first || !second) throw new Error('two flows');
    one.say('too late\n');
    await until('the client is reset', () => one.error === 'ECONNRESET');
    second.socket.write('too late as well\n');
    await until('the server is reset', () => second.error === 'ECONNRESET');
    await pause(20);
    expect([first.end, first.error, two.over]).toEqual([false, '', false]);
    // They find out when they speak themselves.
    first.socket.write('is anybody there?\n');
    two.say('hello?\n');
    await until('so is the server', () => first.error === 'ECONNRESET');
    await until('so is the client', () => two.error === 'ECONNRESET');
    expect(host.server.lines).toEqual(['who?', 'who?']);
    expect([one.text, two.text]).toEqual(['0\n', '0\n']);
    const rows = await balancer.stop();
    for (const kind of [EventKind.accepted, EventKind.connected]) {
      expect(causes(rows, kind)).toEqual(['idle_timeout', 'idle_timeout']);
    }
  });

  it('a FIN or RST comes too late as well: the server keeps what its client has lost', async () => {
    const { balancer, clients, sockets } = await forgotten(3);
    const [ends, resets, hears] = clients;
    ends?.socket.end();
    resets?.socket.resetAndDestroy();
    sockets[2]?.socket.end();
    const left = (): string[] => causes(balancer.events(), EventKind.accepted);
    await until('two clients are gone', () => left().length === 2);
    await until('the third server is gone', () => sockets[2]?.socket.destroyed === true);
    await pause(20);
    expect(left().sort()).toEqual(['peer_fin', 'peer_rst']);
    expect(hears?.over).toBe(false);
    expect(sockets.slice(0, 2).map(({ end, error }) => [end, error])).toEqual([
      [false, ''],
      [false, ''],
    ]);
    // The run ends: the books of the sides that are left close with it.
    const rows = await balancer.stop();
    expect(causes(rows, EventKind.connected)).toEqual(['peer_fin', 'shutdown', 'shutdown']);
  });

  it('counts from the last byte in either direction', async () => {
    const hosts = await startHosts(1);
    const balancer = await start(hosts, { idleTimeout: 400_000 });
    const [flow] = await flows(balancer, 1);
    const [server] = hosts[0]?.server.sockets ?? [];
    // Eight times as long as the timeout in all, never as long in silence.
    for (let turn = 0; turn < 16; turn++) {
      await pause(50);
      if (turn % 2 === 0) flow?.client.say('.');
      else server?.write('.');
    }
    await until('all have come', () => flow?.client.text === `0\n${'.'.repeat(8)}`);
    expect(flow?.client.error).toBe('');
  });
});

describe('health checks', () => {
  it('ask the alive-check port: new flows avoid the ill, old ones stay', async () => {
    const hosts = await startHosts(3);
    const balancer = await start(hosts, { algorithm: 'round-robin' }, true);
    const old = await flows(balancer, 6);
    const [first, second] = hosts;
    if (!first || !second) throw new Error('hosts');
    first.health = 'ill';
    second.health = 'silent';
    await until('two are unhealthy', () => healthRows(balancer).length === 2);
    expect(hostsOf(await flows(balancer, 4))).toEqual([2, 2, 2, 2]);
    for (const { client } of old) client.say('still?\n');
    await until('old flows go on', () => old.every(({ client }) => client.lines === 2));
    for (const { client, host } of old) expect(client.text).toBe(`${host}\n${host}\n`);
    first.health = 'well';
    await until('it is back', () => healthRows(balancer).length === 3);
    expect(new Set(hostsOf(await flows(balancer, 4)))).toEqual(new Set([0, 2]));
    const told = healthRows(balancer);
    expect(told.slice(0, 2).map(({ host }) => host)).toEqual(expect.arrayContaining([0, 1]));
    expect(told.map(({ healthy }) => healthy)).toEqual([0, 0, 1]);
    // No probe came by the traffic port.
    const asked = new Set(hosts.flatMap(({ server }) => server.lines));
    expect(asked).toEqual(new Set(['who?', 'still?']));
  });

  it('never see starvation: a host whose traffic port is dead stays healthy', async () => {
    const hosts = await startHosts(1);
    const balancer = await start(hosts, {}, true);
    await flows(balancer, 1);
    await hosts[0]?.server.close();
    const probes = hosts[0]?.probes ?? 0;
    await until('five more probes', () => (hosts[0]?.probes ?? 0) >= probes + 5);
    expect(healthRows(balancer)).toEqual([]);
  });

  it('fail open: when all are ill, all are used', async () => {
    const hosts = await startHosts(2);
    const balancer = await start(hosts, { algorithm: 'round-robin' }, true);
    for (const host of hosts) host.health = 'ill';
    await until('both are unhealthy', () => healthRows(balancer).length === 2);
    expect(hostsOf(await flows(balancer, 4)).sort()).toEqual([0, 0, 1, 1]);
  });

  it('that are cut short by our own stop are no failures', async () => {
    const hosts = await startHosts(1);
    const [host] = hosts;
    if (!host) throw new Error('a host');
    const check = { ...settings.healthCheck, unhealthyThreshold: 1, timeout: 5_000_000 };
    const balancer = await start(hosts, { healthCheck: check }, true);
    await until('a probe', () => host.probes > 0);
    host.health = 'silent';
    const { probes } = host;
    await until('probes under way', () => host.probes > probes + 1);
    const rows = await balancer.stop();
    expect(rows.filter(({ kind }) => kind === EventKind.health)).toEqual([]);
  });
});

describe('deregistration', () => {
  const deregister = (replica: number, lasts: number) =>
    ({ action: 'deregister', hosts: 'ec2', replica, lasts }) as const;

  it('no new flows, old ones go on until the delay is over, and it comes back', async () => {
    const hosts = await startHosts(2);
    const delay = { deregistrationDelay: 1_500_000 };
    const balancer = await start(hosts, { algorithm: 'round-robin', ...delay });
    const old = await flows(balancer, 4);
    expect(balancer.live.apply(deregister(7, 1))).toBe(false);
    expect(balancer.live.apply({ ...deregister(0, 1), hosts: 'other' })).toBe(false);
    const began = balancer.events().length;
    expect(balancer.live.apply(deregister(0, 2_500_000))).toBe(true);
    expect(hostsOf(await flows(balancer, 3))).toEqual([1, 1, 1]);
    const drained = old.filter(({ host }) => host === 0).map(({ client }) => client);
    expect(drained).toHaveLength(2);
    drained[0]?.say('still here\n');
    await until('an old flow goes on', () => drained[0]?.lines === 2);
    await until('the delay is over', () => drained.every(({ over }) => over));
    const rows = balancer.events().slice(began);
    expect(causesOf(rows, endsOf(balancer.events(), EventKind.accepted))).toEqual([
      'drain',
      'drain',
    ]);
    expect(old.filter(({ host, client }) => host === 1 && client.over)).toEqual([]);
    let seen = 0;
    for (let i = 0; i < 500 && seen === 0; i++) {
      await pause(10);
      seen = hostsOf(await flows(balancer, 2)).filter((host) => host === 0).length;
    }
    expect(seen).toBe(1);
  });

  it('twice: the later return counts, and flows that ended need no drain', async () => {
    const hosts = await startHosts(2);
    const balancer = await start(hosts, { algorithm: 'round-robin' });
    const old = await flows(balancer, 2);
    balancer.live.apply(deregister(0, 60_000));
    balancer.live.apply(deregister(0, 60_000_000));
    for (const { client } of old) client.socket.end();
    await pause(120);
    expect(hostsOf(await flows(balancer, 3))).toEqual([1, 1, 1]);
    const rows = await balancer.stop();
    expect(causesOf(rows, endsOf(rows, EventKind.accepted))).not.toContain('drain');
  });

  it('of the last one leaves none: new flows are reset', async () => {
    const hosts = await startHosts(1);
    const balancer = await start(hosts);
    balancer.live.apply(deregister(0, 60_000_000));
    const lost = connect(balancer);
    await until('a reset', () => lost.error === 'ECONNRESET');
  });
});

describe('faults', () => {
  it('a share of its connections is reset, on both sides', async () => {
    const hosts = await startHosts(1);
    const balancer = await start(hosts);
    const opened = await flows(balancer, 40);
    const fault = { action: 'reset-connections', hop: 'nlb', share: 0.5 } as const;
    expect(balancer.live.apply({ ...fault, hop: 'queue' })).toBe(false);
    expect(balancer.live.apply(fault)).toBe(true);
    const reset = (): number => opened.filter(({ client }) => client.error === 'ECONNRESET').length;
    await until('the servers see it', () => hosts[0]?.server.sockets.size === 40 - reset());
    await until('some are reset', () => reset() > 5);
    expect(reset()).toBeLessThan(35);
  });
});
