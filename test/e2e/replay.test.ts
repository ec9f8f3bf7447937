/**
 * One policy, two engines: what every policy was told in a live run, told again to a fresh one,
 * gives the same decisions, through changes of settings and faults while the run went on.
 */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { readPolicyLog } from '../../src/live/runtime/policy-log.ts';
import { OUTPUT } from '../../src/policy/recorder.ts';
import { replayPolicies } from '../../src/policy/replay.ts';
import { runCli } from '../support/run-cli.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { incident, summaryOf, users, writeTopology } from './pipelines.ts';

const TIMELINE = [
  { at: '1s', action: 'set', path: 'queue.activeMax', to: 3 },
  { at: '1.2s', action: 'set', path: 'apigw.throttle.ratePerSecond', to: '40/s' },
  { at: '1.2s', action: 'set', path: 'apigw.throttle.burst', to: 5 },
  { at: '1.5s', action: 'set', path: 'apigw.pool.idleTimeout', to: '100ms' },
  { at: '1.8s', action: 'set', path: 'queue.reclaimAfter', to: '1ms' },
  { at: '2s', action: 'set', path: 'nginx.keepAliveRequests', to: 7 },
  { at: '2.2s', action: 'set', path: 'apigw.throttle.ratePerSecond', to: '5000/s' },
  { at: '2.4s', action: 'deregister', hosts: 'ec2', replica: 0, lasts: '500ms' },
  { at: '2.6s', action: 'set', path: 'queue.order', to: 'lifo' },
  { at: '2.8s', action: 'set', path: 'queue.reclaim', to: 'none' },
  { at: '3.2s', action: 'set', path: 'queue.reclaim', to: 'idle-yield' },
  { at: '3.3s', action: 'replace-nodes', hop: 'apigw', count: 2 },
  { at: '3.5s', action: 'set', path: 'queue.activeMax', to: 15 },
];

// Side by side: the live runs wait for most of it.
describe.concurrent('replaying the policies of a live run', () => {
  it('gives identical decisions, for every policy that there is', async () => {
    using folder = tempFolder();
    const recording = path.join(folder.path, 'rec');
    const retry = { attemptsMax: 3, backoff: '20ms', on: ['429', '5xx', 'timeout', 'reset'] };
    const chain = incident({
      clients: users(40, '50ms', { retry, requestsPerIteration: 50 }),
      queue: { activeMax: 15, reclaim: 'idle-yield' },
      nlb: {
        deregistrationDelay: '200ms',
        healthCheck: { interval: '200ms', timeout: '150ms', healthyThreshold: 2 },
      },
    });
    const file = writeTopology(folder.path, { ...chain, timeline: TIMELINE });
    const args = ['--duration', '5s', '--record', recording, '--record-policies'];
    await summaryOf([file, ...args]);
    const logs = readdirSync(recording).filter((name) => /^policies-\d+\.f64$/.test(name));
    expect(logs.length).toBeGreaterThanOrEqual(2);
    const classes = new Set<string>();
    let decisions = 0;
    for (const name of logs) {
      const { log, policies } = await readPolicyLog(path.join(recording, path.parse(name).name));
      const result = replayPolicies(log, policies);
      expect(result.firstDifference).toBeNull();
      expect(result.policies).toBe(policies.length);
      for (const policy of policies) classes.add(policy.policy);
      decisions += result.decisions;
    }
    expect([...classes].sort()).toEqual([
      'Balancer',
      'ConnectionQueue',
      'Drain',
      'HealthCheck',
      'KeepAlive',
      'Pool',
      'Retry',
      'Throttle',
    ]);
    expect(decisions).toBeGreaterThan(1_000);
  });

  it('and so does a simulated run, of the same policies', async () => {
    using folder = tempFolder();
    const recording = path.join(folder.path, 'rec');
    const chain = incident({
      clients: users(40, '50ms', {
        retry: { attemptsMax: 3, backoff: '20ms', on: ['429', '5xx'] },
      }),
      queue: { activeMax: 15, reclaim: 'idle-yield' },
    });
    const file = writeTopology(folder.path, { ...chain, timeline: TIMELINE });
    const args = ['--duration', '5s', '--record', recording, '--record-policies', '--json'];
    const result = await runCli(['simulate', file, ...args]);
    expect(result.code, result.stderr).toBe(0);
    const { log, policies } = await readPolicyLog(path.join(recording, 'policies-0'));
    const replayed = replayPolicies(log, policies);
    expect(replayed.firstDifference).toBeNull();
    expect(new Set(policies.map(({ policy }) => policy)).size).toBe(8);
    expect(replayed.decisions).toBeGreaterThan(5_000);
    const plain = await runCli(['simulate', file, '--duration', '5s', '--json']);
    const withoutPath = ({ recording: _, ...rest }: Record<string, unknown>) => rest;
    expect(withoutPath(JSON.parse(plain.stdout))).toEqual(withoutPath(JSON.parse(result.stdout)));
  });

  it('would notice a single decision that differs', async () => {
    using folder = tempFolder();
    const recording = path.join(folder.path, 'rec');
    const file = writeTopology(folder.path, incident());
    await summaryOf([file, '--duration', '1s', '--record', recording, '--record-policies']);
    const { log, policies } = await readPolicyLog(path.join(recording, 'policies-1'));
    expect(replayPolicies(log, policies).firstDifference).toBeNull();
    const queue = policies.findIndex((policy) => policy.policy === 'ConnectionQueue');
    const decision = firstDecisionOf(log, queue);
    log[decision] = (log[decision] ?? 0) + 1;
    expect(replayPolicies(log, policies).firstDifference).toMatchObject({ instance: queue });
  });
});

/** Where in the log the first argument of the policy's first decision stands. */
function firstDecisionOf(log: Float64Array, instance: number): number {
  for (let at = 0; at + 2 < log.length; at += 3 + (log[at + 2] ?? 0)) {
    const method = log[at + 1] ?? 0;
    if (log[at] === instance && method >= OUTPUT && (log[at + 2] ?? 0) > 0) return at + 3;
  }
  throw new Error('the policy decided nothing');
}
