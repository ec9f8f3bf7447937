/** calibrate on a chain so small that the answer is known: a pool's limit of requests. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli } from '../support/run-cli.ts';
import { tempFolder } from '../support/temp-folder.ts';

const CHAIN = `
name: small
hops:
  - { name: clients, kind: clients, count: 20, workload: { kind: closed, thinkTime: 100ms } }
  - { name: gateway, kind: gateway, nodes: 1, pool: { idleTimeout: 60s } }
  - { name: nlb, kind: l4-balancer }
  - { name: app, kind: app, serviceTime: 2ms }
hosts:
  - { name: host, count: 1, hops: [app] }
`;
const TARGETS = `
windows:
  calm: { from: 2s, lasts: 60s }
  later: { from: 2s, lasts: 60s, set: [clients.count=10] }
parameters:
  - { path: gateway.pool.requestsPerConnectionMax, between: [5, 500], spacing: log }
targets:
  - name: requests per flow
    window: calm
    measure: nlb.RequestsPerNewFlow
    between: [45, 55]
    use: fit
  - name: with half of the users
    window: later
    measure: nlb.RequestsPerNewFlow
    between: [45, 55]
    use: predict
`;

function files(folder: string, targets: string): { chain: string; targets: string } {
  const chain = path.join(folder, 'chain.yaml');
  const file = path.join(folder, 'targets.yaml');
  writeFileSync(chain, CHAIN);
  writeFileSync(file, targets);
  return { chain, targets: file };
}

describe('calibrate', () => {
  it('finds the setting that was measured, predicts with it, and says what fits', async () => {
    using folder = tempFolder();
    const { chain, targets } = files(folder.path, TARGETS);
    const args = ['calibrate', chain, '--targets', targets, '--evaluations', '16', '--json'];
    const run = await runCli([...args, '--workers', '1']);
    expect(run.code, run.stderr).toBe(0);
    const found = JSON.parse(run.stdout);
    const best = Number(found.parameters[0].best);
    expect(best).toBeGreaterThanOrEqual(45);
    expect(best).toBeLessThanOrEqual(56);
    expect(found.acceptable).toBeGreaterThan(0);
    expect(found.judgement.judged.map((one: { met: boolean }) => one.met)).toEqual([true, true]);
  });

  it('reports a targets file that is wrong, all of it, and simulates nothing', async () => {
    const wrong = TARGETS.replace('window: calm', 'window: clam').replace('[5, 500]', '[500, 5]');
    using folder = tempFolder();
    const { chain, targets } = files(folder.path, wrong);
    const run = await runCli(['calibrate', chain, '--targets', targets]);
    expect(run.code).toBe(2);
    expect(run.stderr).toContain('2 errors');
    expect(run.stdout).toBe('');
  });

  it('reports a measure that no run has, before it searches for it', async () => {
    using folder = tempFolder();
    const { chain, targets } = files(folder.path, TARGETS.replace('nlb.Req', 'nlb.Rex'));
    const run = await runCli(['calibrate', chain, '--targets', targets]);
    expect([run.code, run.stdout]).toEqual([2, '']);
    expect(run.stderr).toContain(':10:14: error: there is no measure "nlb.RexuestsPerNewFlow"');
    expect(run.stderr).toContain('did you mean "nlb.RequestsPerNewFlow"?');
    expect(run.stderr).not.toContain('searching');
  });

  it('says of a target that no setting meets how near the search has come', async () => {
    using folder = tempFolder();
    const beyond = TARGETS.replace('[45, 55]', '[4500, 5500]');
    const { chain, targets } = files(folder.path, beyond);
    const args = ['calibrate', chain, '--targets', targets, '--evaluations', '4'];
    const run = await runCli([...args, '--workers', '1']);
    expect(run.code, run.stderr).toBe(1);
    expect(run.stdout).toMatch(
      /requests per flow \(calm\): none of \d+ points meets it; the nearest/,
    );
  });
});
