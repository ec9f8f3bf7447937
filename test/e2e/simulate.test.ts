/** `waterhammer simulate` as a user has it: summary, recording, reproducibility, mistakes. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Summary } from '../../src/model/summary.ts';
import { runCli, startCli } from '../support/run-cli.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { only } from './pipelines.ts';

const GOLDEN = 'examples/golden-connections.yaml';

async function simulated(args: readonly string[]): Promise<Summary> {
  const result = await runCli(['simulate', ...args, '--json']);
  expect(result.code).toBe(0);
  return JSON.parse(result.stdout) as Summary;
}

describe('waterhammer simulate', () => {
  it('gives 15 served and 45 starved, and with the cure 60 served', async () => {
    const incident = await simulated([GOLDEN]);
    expect(incident).toMatchObject({ engine: 'sim', balanced: true, seed: 1, durationSeconds: 20 });
    expect(only(incident.clients)).toMatchObject({ count: 60, served: 15, starved: 45 });
    expect(incident.findings.map((one) => one.kind)).toContain('slot-hoarding');
    const cured = await simulated([GOLDEN, '--set', 'queue.reclaim=idle-yield']);
    expect(only(cured.clients)).toMatchObject({ served: 60, starved: 0 });
  });

  it('gives the same bytes for the same seed, and others for another', async () => {
    const args = ['simulate', 'examples/incident.yaml', '--json'];
    const [one, same, other] = await Promise.all([
      runCli(args),
      runCli(args),
      runCli([...args, '--seed', '2']),
    ]);
    expect(one.code).toBe(0);
    expect(same.stdout).toBe(one.stdout);
    expect(other.stdout).not.toBe(one.stdout);
  });

  it('counts alike in full detail and in series', async () => {
    const args = ['examples/incident.yaml', '--duration', '90s'];
    const full = await simulated([...args, '--detail', 'full']);
    const series = await simulated([...args, '--detail', 'series']);
    expect(series.clients).toEqual(full.clients);
    expect(series.links).toEqual(full.links);
    expect(series.balanced).toBe(true);
  });

  it('keeps a recording that the other commands read', async () => {
    using folder = tempFolder();
    const recording = path.join(folder.path, 'rec');
    await simulated([GOLDEN, '--record', recording]);
    const ledger = await runCli(['ledger', recording]);
    expect(ledger).toMatchObject({ code: 0 });
    expect(ledger.stdout).toContain('The books balance');
    const diagram = await runCli(['diagram', recording, '--client', '1', '--which', 'actual']);
    expect(diagram.stdout).toContain('@startuml');
    const small = path.join(folder.path, 'series');
    await simulated([GOLDEN, '--record', small, '--detail', 'series']);
    expect(readdirSync(small).sort()).toEqual(['run.json', 'series.parquet']);
  });

  it('ends early at Ctrl-C with the books of what there was', async () => {
    const run = startCli(['simulate', 'examples/aws-2021.yaml', '--duration', '12h', '--json']);
    await run.waitFor(/ s simulated/);
    run.signal('SIGINT');
    const { code, stdout, orphans } = await run.ended;
    expect(code).toBe(130);
    expect(orphans).toEqual([]);
    const summary = JSON.parse(stdout) as Summary;
    expect(summary.balanced).toBe(true);
    expect(summary.durationSeconds).toBeLessThan(12 * 3_600);
    expect(summary.durationSeconds).toBeGreaterThan(0);
  });

  it('reports bad input with its place', async () => {
    const result = await runCli(['simulate', GOLDEN, '--set', 'queue.slots=3']);
    expect(result.code).toBe(2);
    expect(result.stderr).toContain('queue');
    expect((await runCli(['simulate', GOLDEN, '--detail', 'some'])).code).toBe(2);
  });
});
