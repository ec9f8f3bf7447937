/** Random faults happen in a live run as in a simulation of the same seed, and are marked. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { Mark } from '../../src/model/run.ts';
import { runCli } from '../support/run-cli.ts';
import { tempFolder } from '../support/temp-folder.ts';

const TOPOLOGY = `
duration: 6s
hops:
  - { name: clients, kind: clients, count: 4, workload: { kind: closed, thinkTime: 20ms } }
  - { name: app, kind: app, serviceTime: 1ms, implementation: builtin }
  - { name: db, kind: database, serviceTime: 1ms }
faults:
  - { every: exponential(1s), action: slow, hop: db, factor: "uniform(2, 9)", lasts: 100ms }
  - { every: exponential(2s), action: stall, hop: db, lasts: "uniform(50ms, 200ms)" }
  - every: exponential(1s)
    action: slow-requests
    hop: app
    share: 1
    extra: 150ms
    lasts: 300ms
`;

test('both engines have the same faults at the same times', async () => {
  using folder = tempFolder();
  const file = path.join(folder.path, 'faults.yaml');
  writeFileSync(file, TOPOLOGY);
  const marks = async (command: string): Promise<{ text: string; at: number }[]> => {
    const recording = path.join(folder.path, command);
    const result = await runCli([command, file, '--seed', '11', '--record', recording, '--json']);
    expect(result.code, result.stderr).toBe(0);
    const { latencyMs } = JSON.parse(result.stdout).clients[0];
    // A burst makes every request last 150 ms and more while it goes on.
    expect(latencyMs.p99).toBeGreaterThan(150);
    expect(latencyMs.p50).toBeLessThan(50);
    const run = JSON.parse(readFileSync(path.join(recording, 'run.json'), 'utf8'));
    return (run.marks as Mark[])
      .filter(({ kind }) => kind === 'fault')
      .map(({ text, at }) => ({ text, at: (at - run.loadStart) / 1e6 }));
  };
  const live = await marks('run');
  const simulated = await marks('simulate');
  expect(simulated.length).toBeGreaterThan(5);
  expect(live.map(({ text }) => text)).toEqual(simulated.map(({ text }) => text));
  live.forEach(({ at }, index) => {
    expect(Math.abs(at - (simulated[index]?.at ?? 0))).toBeLessThan(1);
  });
});
