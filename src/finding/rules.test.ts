/** Rules over series and figures made for the purpose. With real runs: test/e2e/findings. */
import { describe, expect, it } from 'vitest';
import type { SecondRow } from '../measure/rows.ts';
import type { LinkSummary } from '../model/summary.ts';
import type { Hop } from '../model/topology.ts';
import { chartLead } from './rules/chart-lead.ts';
import { connectionPerRequest } from './rules/connection-per-request.ts';
import { firstMover } from './rules/first-mover.ts';
import { unevenHosts } from './rules/uneven-hosts.ts';
import { scriptedInput } from './test-input.ts';

function column(scope: string, measure: string, values: readonly number[]): SecondRow[] {
  return values.map((value, second) => ({ second, scope, measure, value }));
}

/** `before` for twenty seconds, `after` from the given second on. */
function step(before: number, after: number, from: number): number[] {
  return Array.from({ length: 40 }, (_value, second) => (second < from ? before : after));
}

describe('first-mover', () => {
  it('orders series by the second in which they leave their calm', () => {
    const seconds = [
      ...column('link:a->b', 'opened', step(40, 300, 23)),
      ...column('clients:mobile', 'latencyP99Ms', step(30, 5_000, 21)),
      ...column('clients:mobile', 'answered', step(2_000, 400, 26)),
    ];
    const [finding] = firstMover(scriptedInput(seconds, 20));
    expect(finding?.evidence.firstSecond).toBe(21);
    expect(finding?.evidence.leadSeconds).toBe(2);
    expect(finding?.evidence.order).toEqual([
      '+0 s mobile latencyP99Ms 30 -> 5000',
      '+2 s a->b opened 40 -> 300',
      '+5 s mobile answered 2000 -> 400',
    ]);
    expect(finding?.evidence.hiddenByMinutes).toBe(true);
  });

  it('says nothing of a single series, of noise, or of one odd second', () => {
    const noisy = Array.from({ length: 40 }, (_value, second) => 100 + ((second * 7) % 5));
    const spike = noisy.map((value, second) => (second === 30 ? 500 : value));
    const seconds = [
      ...column('link:a->b', 'opened', noisy),
      ...column('link:b->c', 'opened', spike),
      ...column('clients:mobile', 'answered', step(2_000, 400, 26)),
    ];
    expect(firstMover(scriptedInput(seconds, 20))).toEqual([]);
  });

  it('is silent where there was no calm to compare with', () => {
    const seconds = [
      ...column('link:a->b', 'opened', step(40, 300, 3)),
      ...column('link:b->c', 'opened', step(40, 300, 3)),
    ];
    expect(firstMover(scriptedInput(seconds, 2))).toEqual([]);
  });
});

describe('chart-lead', () => {
  function rises(from: number): number[] {
    return Array.from({ length: 180 }, (_value, second) => (second < from ? 40 : 400));
  }

  it('says which chart led, by how much, and how many share a minute', () => {
    const seconds = [
      ...column('link:apigw->nlb', 'opened', rises(123)),
      ...column('link:apigw->nlb', 'open', rises(127)),
    ];
    const [finding] = chartLead(scriptedInput(seconds, 120));
    expect(finding?.title).toContain('At second 123 nlb NewFlowCount (40 -> 400)');
    expect(finding?.title).toContain('then nlb ActiveFlowCount +4 s');
    expect(finding?.evidence).toMatchObject({ leadSeconds: 4, mostInOneMinute: 2 });
  });

  it('says nothing without a whole minute of calm', () => {
    expect(chartLead(scriptedInput(column('link:apigw->nlb', 'open', rises(41)), 40))).toEqual([]);
  });
});

describe('uneven-hosts', () => {
  const hosts = (totals: readonly number[]): SecondRow[] =>
    totals.flatMap((total, replica) => column(`host:ec2#${replica}`, 'requests', [total]));

  it('names the busiest host and its share', () => {
    const [finding] = unevenHosts(scriptedInput(hosts([100, 120, 300, 80]), 20));
    expect(finding?.evidence).toMatchObject({ busiestToMean: 2, busiestToQuietest: 3.8 });
    expect(finding?.title).toContain('ec2#2 got 300 requests');
  });

  it('takes the scatter of few requests for what it is', () => {
    expect(unevenHosts(scriptedInput(hosts([2, 0, 3, 1]), 20))).toEqual([]);
    expect(unevenHosts(scriptedInput(hosts([1_000, 1_020, 990, 1_010]), 20))).toEqual([]);
  });
});

describe('connection-per-request', () => {
  const link = (name: string, opened: number | null, exchanges: number): LinkSummary => ({
    name,
    opened,
    closed: opened,
    open: 0,
    closedBy: {},
    exchanges,
    requestsPerNewConnection: 1,
    multiplication: null,
    connectionRatio: null,
  });

  /** The chain with some hops changed, where these links carried that much in 40 s. */
  function kinds(links: readonly LinkSummary[], change: (hop: Hop) => Hop = (hop) => hop) {
    const { topology, info, summary, seconds } = scriptedInput([], 20);
    const changed = { ...topology, hops: topology.hops.map(change) };
    return connectionPerRequest({
      topology: changed,
      info,
      summary: { ...summary, links },
      seconds,
    });
  }

  it('says how many, what they cost and which setting changes it', () => {
    const [finding] = kinds([link('web->app', 3_000, 3_000)]);
    expect(finding).toMatchObject({ hop: 'web', severity: 'info' });
    expect(finding?.title).toContain('web->app');
    expect(finding?.title).toContain('3000 connections for 3000 requests, 75 a second');
    // 75 a second on four hosts, for 60 s.
    expect(finding?.evidence).toMatchObject({ timeWaitPerHost: 1_125, portsPerHost: 28_232 });
    expect(finding?.remedy).toMatch(/^web\.upstreamIdleMax: 32 .*nginx: "keepalive 32".*1125 of/);
  });

  it('warns where the ports run short', () => {
    const severity = (opened: number) => kinds([link('web->app', opened, opened)])[0]?.severity;
    expect([severity(37_000), severity(38_000)]).toEqual(['info', 'warning']);
  });

  it('is silent where connections are kept, few or unseen, and of clients', () => {
    const kept = (hop: Hop): Hop =>
      hop.kind === 'web-server' ? { ...hop, upstreamIdleMax: 1 } : hop;
    expect(kinds([link('web->app', 3_000, 3_000)], kept)).toEqual([]);
    expect(kinds([link('web->app', 2_600, 3_000)])).toEqual([]);
    expect(kinds([link('web->app', 19, 19)])).toEqual([]);
    expect(kinds([link('web->app', null, 3_000)])).toEqual([]);
    const once = (hop: Hop): Hop =>
      'pool' in hop && hop.kind !== 'app'
        ? { ...hop, pool: { ...hop.pool, requestsPerConnectionMax: 1 } }
        : hop;
    expect(kinds([link('clients->apigw', 3_000, 3_000)], once)).toEqual([]);
  });

  it('is silent before a queue whose slots idle connections would keep', () => {
    const once = (reclaim: 'none' | 'idle-yield') => (hop: Hop) => {
      if (hop.kind === 'connection-queue') return { ...hop, reclaim };
      if (hop.kind !== 'gateway') return hop;
      return { ...hop, pool: { ...hop.pool, requestsPerConnectionMax: 1 } };
    };
    expect(kinds([link('apigw->nlb', 3_000, 3_000)], once('none'))).toEqual([]);
    const [finding] = kinds([link('apigw->nlb', 3_000, 3_000)], once('idle-yield'));
    expect(finding?.remedy).toContain('apigw.pool.requestsPerConnectionMax: 0');
  });
});
