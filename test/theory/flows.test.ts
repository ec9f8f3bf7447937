/** Flows over time: days, connections and their lives, tokens, and Little's law everywhere. */
import { describe, expect, it } from 'vitest';
import { EventKind } from '../../src/model/event.ts';
import { chain, expectAgreement, live, mean, replicate, requestsOf } from './simulated.ts';

describe('a day', () => {
  const [peak, trough, period] = [60, 20, 400];
  const yaml = `name: day
duration: ${period}s
startTimeOfDay: "00:00"
hops:
  - name: clients
    kind: clients
    count: 1000
    pool: { connectionsMax: 0 }
    timeout: 0s
    workload:
      kind: open
      rate:
        shape: diurnal
        peak: ${peak}/s
        trough: ${trough}/s
        peakAt: "00:03:20"
        period: ${period}s
  - { name: app, kind: app, serviceTime: exponential(20s) }
`;

  it('arrivals: as many as the rate integrates to', () => {
    const counts = replicate((seed) => live({ yaml, seed }).simulation)
      .map((simulation) => [...simulation.rows()].filter(({ measure }) => measure === 'sent'))
      .map((rows) => rows.reduce((sum, { value }) => sum + (value ?? 0), 0));
    expectAgreement(counts, ((peak + trough) / 2) * period, 'arrivals of a period');
  });

  it('what is in service lags behind: M(t)/M/infinity', () => {
    const twice = yaml.replace(`duration: ${period}s`, `duration: ${2 * period}s`);
    const omega = (2 * Math.PI) / period;
    const lags = replicate((seed) => {
      const { simulation } = live({ yaml: twice, seed });
      let [cosine, sine] = [0, 0];
      for (const { second, measure, value } of simulation.rows()) {
        if (measure !== 'pending' || second < period) continue;
        cosine += (value ?? 0) * Math.cos(omega * (second + 1 - 200));
        sine += (value ?? 0) * Math.sin(omega * (second + 1 - 200));
      }
      return Math.atan2(sine, cosine) / omega;
    });
    expectAgreement(lags, Math.atan(omega * 20) / omega, 'lag of the peak, s');
  });
});

describe('keep-alive by renewal theory', () => {
  // A user that thinks: gaps between requests are exponential (mean 2 s); service takes no time.
  const document = (limits: string): string => `name: renewal
duration: 600s
hops:
  - name: users
    kind: clients
    count: 60
    pool: { connectionsMax: 1, idleTimeout: 0s }
    workload: { kind: closed, thinkTime: exponential(2s), startWithin: 1s }
  - { name: nginx, kind: web-server, upstreamIdleMax: 100, ${limits} }
  - { name: app, kind: app, serviceTime: 0s }
`;
  /** Connections of the first link that have ended: requests and life of each. */
  const connections = (yaml: string, seed: number): { requests: number; life: number }[] => {
    const open = new Map<number, { from: number; requests: number }>();
    const ended: { requests: number; life: number }[] = [];
    live({
      yaml,
      seed,
      listen(at, kind, instance, end) {
        if (instance !== 0) return;
        const one = open.get(end);
        if (kind === EventKind.connected) open.set(end, { from: at, requests: 0 });
        if (kind === EventKind.exchangeStarted && one !== undefined) one.requests += 1;
        if (kind !== EventKind.closed || one === undefined) return;
        open.delete(end);
        // Those of the last minute would tell of the short ones only.
        if (one.from < 540e6) ended.push({ requests: one.requests, life: (at - one.from) / 1e6 });
      },
    });
    expect(ended.length).toBeGreaterThan(500);
    return ended;
  };
  const leaves = Math.exp(-3 / 2);

  it('an idle timeout of 3 s alone: requests are geometric', () => {
    const found = replicate((seed) =>
      connections(document('keepAliveTimeout: 3s, keepAliveRequests: 0'), seed),
    );
    expectAgreement(
      found.map((all) => mean(all.map(({ requests }) => requests))),
      1 / leaves,
      'requests per connection',
    );
    // Gaps below 3 s, one fewer than requests, and the timeout at last.
    const gap = (2 - (2 + 3) * leaves) / (1 - leaves);
    expectAgreement(
      found.map((all) => mean(all.map(({ life }) => life))),
      (1 / leaves - 1) * gap + 3,
      'life, s',
    );
  });

  it('and with a cap of 5 requests', () => {
    const found = replicate((seed) =>
      connections(document('keepAliveTimeout: 3s, keepAliveRequests: 5'), seed),
    );
    expectAgreement(
      found.map((all) => mean(all.map(({ requests }) => requests))),
      (1 - (1 - leaves) ** 5) / leaves,
      'requests per connection',
    );
    expectAgreement(
      found.map((all) => all.filter(({ requests }) => requests === 5).length / all.length),
      (1 - leaves) ** 4,
      'share that reaches the cap',
    );
  });
});

it('token bucket: never more than burst + rate x time, and no less than the rate', () => {
  const yaml = chain({
    seconds: 120,
    rate: 200,
    hops: [
      '{ name: gw, kind: gateway, throttle: { ratePerSecond: 50/s, burst: 20 } }',
      '{ name: app, kind: app, serviceTime: 0s }',
    ],
  });
  const requests = requestsOf({ yaml, seed: 3 });
  const passed = requests.filter(({ outcome }) => outcome === 200).map(({ sentAt }) => sentAt);
  // The worst of two hundred thousand spans: to expect something of each takes ten seconds.
  let excess = Number.NEGATIVE_INFINITY;
  for (let from = 0; from < passed.length; from += 7) {
    for (let to = from; to < passed.length; to += 13) {
      const seconds = ((passed[to] ?? 0) - (passed[from] ?? 0)) / 1e6;
      excess = Math.max(excess, to - from + 1 - (20 + 50 * seconds));
    }
  }
  expect(excess).toBeLessThanOrEqual(1e-6);
  expect(passed.length).toBeGreaterThan(50 * 119);
});

it("Little's law on every link, and at the queue", () => {
  const yaml = `name: little
duration: 400s
hops:
  - name: users
    kind: clients
    count: 40
    pool: { connectionsMax: 1, idleTimeout: 700ms }
    workload: { kind: closed, thinkTime: exponential(500ms), startWithin: 1s }
  - { name: gw, kind: gateway, nodes: 6, pool: { idleTimeout: 800ms } }
  - { name: queue, kind: connection-queue, activeMax: 8 }
  - { name: nginx, kind: web-server, keepAliveRequests: 10 }
  - { name: app, kind: app, serviceTime: exponential(20ms), pool: { idle: 300ms, evict: 100ms } }
  - { name: db, kind: database, serviceTime: exponential(5ms) }
`;
  const found = replicate((seed) => differences(yaml, seed));
  const links = [...(found[0]?.keys() ?? [])];
  expect(links.length).toBe(5);
  for (const link of links) {
    const relative = found.map((one) => one.get(link) ?? Number.NaN);
    // L as seen at the ends of seconds against lambda x W by each connection's own events.
    expectAgreement(
      relative.map((one) => 1 + one),
      1,
      `${link}: lambda W / L`,
    );
  }
});

/** Seconds until connections are open everywhere: what is before is not looked at. */
const BEGUN = 5;

/** By link: how far lambda x W is from L, relative to L. */
function differences(yaml: string, seed: number): Map<string, number> {
  const { simulation } = live({ yaml, seed });
  const gauges = new Map<string, number[]>();
  for (const { scope, measure, value } of simulation.rows()) {
    if (measure !== 'open' || !scope.startsWith('link:') || value === null) continue;
    const name = scope.slice(5);
    gauges.set(name, [...(gauges.get(name) ?? []), value]);
  }
  const lives = new Map<number, [number, number]>();
  const open = new Map<number, [number, number]>();
  live({
    yaml,
    seed,
    listen(at, kind, _instance, end, _exchange, _a, _b, c) {
      if (kind === EventKind.connected) open.set(end, [at, c]);
      const one = open.get(end);
      if (kind !== EventKind.closed || one === undefined) return;
      open.delete(end);
      const [count, sum] = lives.get(one[1]) ?? [0, 0];
      lives.set(one[1], [count + 1, sum + Math.max(0, at - Math.max(one[0], BEGUN * 1e6))]);
    },
  });
  // What lives still has lived so far.
  for (const [from, link] of open.values()) {
    const [count, sum] = lives.get(link) ?? [0, 0];
    lives.set(link, [count + 1, sum + 400e6 - Math.max(from, BEGUN * 1e6)]);
  }
  const result = new Map<string, number>();
  simulation.plan.links.forEach(({ name, index }) => {
    const [count, sum] = lives.get(index) ?? [0, 0];
    const seen = mean((gauges.get(name) ?? []).slice(BEGUN, 400));
    result.set(name, ((count / (400 - BEGUN)) * (sum / count / 1e6)) / seen - 1);
  });
  return result;
}
