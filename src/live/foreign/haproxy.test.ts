/** Real HAProxy as queue and as balancer, in front of real servers. */
import http from 'node:http';
import net from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { requireProgram } from '../../../test/support/skips.ts';
import type { Link } from '../../model/run.ts';
import type { ConnectionQueueHop, L4BalancerHop } from '../../model/topology.ts';
import { settings } from '../hops/test-l4.case.ts';
import { request } from '../test-http.case.ts';
import { testMachine, testUpstream, until } from '../test-support.ts';
import { startHaproxyBalancer, startHaproxyQueue } from './haproxy.ts';
import type { ForeignContext, ForeignServer } from './server.ts';
import { foreignContext, foreignLinks } from './test-plan.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

/** HTTP servers that answer with their own number; `statuses` may be changed meanwhile. */
async function apps(statuses: readonly number[]): Promise<number[]> {
  const servers = await Promise.all(
    statuses.map((_status, number) =>
      testUpstream((_asked, answer) => {
        answer.statusCode = statuses[number] ?? 200;
        answer.end(String(number));
      }),
    ),
  );
  for (const { close } of servers) cleanups.push(close);
  return servers.map(({ endpoint }) => endpoint.port);
}

function kept(server: ForeignServer): number[] {
  cleanups.push(() => server.stop());
  return server.endpoints.map(({ port }) => port);
}

/** One balancer, on no host, in front of an app on each of two hosts; the checks ask the app. */
function inFrontOf(hop: L4BalancerHop, ports: readonly number[]): ForeignContext {
  const { topology, plan, endpoints } = foreignContext(hop, ports);
  const [incoming, outgoing] = foreignLinks;
  const alive: Link = { ...outgoing, index: 2, name: 'hop->app#alive', purpose: 'alive' };
  const links = [incoming, outgoing, alive];
  const instances = plan.instances.map((one) => (one.hop === 'hop' ? { ...one, host: null } : one));
  const single = instances.filter(({ hop: name, replica }) => name === 'app' || replica === 0);
  const own = endpoints.map((one) => ({ ...one, instance: one.instance - 1 }));
  return {
    topology,
    plan: { ...plan, links, instances: single.map((one, index) => ({ ...one, index })) },
    endpoints: [...own, ...own.map((one) => ({ ...one, link: alive.index }))],
  };
}

beforeEach((context) => void requireProgram('haproxy', context));

describe('HAProxy', () => {
  it('as queue: each host has slots of its own, in front of its own next hop', async () => {
    const hop: ConnectionQueueHop = {
      ...settings,
      name: 'hop',
      implementation: 'haproxy',
      activeMax: 2,
    };
    const ports = kept(await startHaproxyQueue(hop, foreignContext(hop, await apps([200, 200]))));
    // Two hosts, and two links into each.
    expect(ports).toHaveLength(4);
    const answered: number[] = [];
    const sockets = Array.from({ length: 5 }, (_none, index) => {
      const socket = net.connect(ports[1] ?? 0, '127.0.0.1');
      socket.on('error', () => {});
      socket.on('data', (bytes) => {
        expect(bytes.toString()).toMatch(/^HTTP\/1.1 200 .*1$/s);
        answered.push(index);
      });
      socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      cleanups.push(() => socket.destroy());
      return socket;
    });
    await until('two are served', () => answered.length === 2);
    expect((await request(ports[0] ?? 0)).body.toString()).toBe('0');
    expect(answered).toHaveLength(2);
    sockets[answered[0] ?? 0]?.destroy();
    await until('a third is served', () => answered.length === 3);
  });

  it('as balancer: spreads flows over healthy targets only', async () => {
    const hop: L4BalancerHop = {
      name: 'hop',
      kind: 'l4-balancer',
      implementation: 'haproxy',
      upstream: 'app',
      listen: null,
      ...testMachine,
      algorithm: 'round-robin',
      idleTimeout: 0,
      deregistrationDelay: 0,
      healthCheck: {
        enabled: true,
        hop: 'app',
        path: '/alive',
        interval: 50_000,
        timeout: 500_000,
        healthyThreshold: 1,
        unhealthyThreshold: 2,
      },
    };
    const statuses = [200, 200];
    const ports = kept(await startHaproxyBalancer(hop, inFrontOf(hop, await apps(statuses))));
    // A flow is a connection, so each request takes a new one.
    const agent = new http.Agent({ keepAlive: false });
    const ask = async (): Promise<string> =>
      (await request(ports[0] ?? 0, { agent })).body.toString();
    const both = new Set([await ask(), await ask(), await ask(), await ask()]);
    expect(both).toEqual(new Set(['0', '1']));
    statuses[0] = 500;
    for (let right = 0; right < 6; ) right = (await ask()) === '1' ? right + 1 : 0;
    statuses[0] = 200;
    while ((await ask()) !== '0');
  });
});
