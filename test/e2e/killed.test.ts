/** A run that was killed: what it had spooled stays readable, and nothing of it goes on. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Summary } from '../../src/model/summary.ts';
import { readExchanges, readSeries } from '../../src/recording/recording.ts';
import { readRun } from '../../src/recording/run-document.ts';
import { runCli, startCli } from '../support/run-cli.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { incident, writeTopology } from './pipelines.ts';

describe('a killed run', () => {
  it('leaves a recording that can be recovered', async () => {
    using folder = tempFolder();
    const recording = path.join(folder.path, 'rec');
    const timeline = [{ at: '1s', action: 'slow', hop: 'db', factor: 2, lasts: '1s' }];
    const file = writeTopology(folder.path, { ...incident(), timeline });
    await using run = startCli(['run', file, '--duration', '60s', '--record', recording]);
    await run.waitFor(/req\/s/);
    await sleep(1_500);
    const early = await runCli(['recover', recording]);
    expect(early.code).toBe(2);
    expect(early.stderr).toContain('goes on');
    run.signal('SIGKILL');
    const ended = await run.ended;
    expect(ended.signal).toBe('SIGKILL');
    expect(ended.orphans).toEqual([]);

    const unstruck = await runCli(['ledger', recording]);
    expect(unstruck.code).toBe(2);
    expect(unstruck.stderr).toContain('waterhammer recover');
    const compared = await runCli(['compare', recording, folder.path]);
    expect(compared.code).toBe(2);
    expect(compared.stderr).toContain('waterhammer recover');
    expect(compared.stderr).toContain(`${folder.path} is not a recording`);
    const recovered = await runCli(['recover', recording, '--record-events']);
    expect(recovered.stderr).toBe('');
    expect(recovered.code).toBe(0);
    expect(recovered.stdout).toMatch(/^\d{4,} events recovered/);

    // The spools are still there: the same again, as JSON.
    const again = await runCli(['recover', recording, '--record-events', '--json']);
    expect([again.code, again.stderr]).toEqual([0, '']);
    const told: { recording: string; events: number; summary: Summary } = JSON.parse(again.stdout);
    expect(told.recording).toBe(recording);
    expect(recovered.stdout).toContain(`${told.events} events recovered\n`);
    expect(told.summary).toMatchObject({ engine: 'live', balanced: null, recording });

    const { summary, recording: state, marks } = await readRun(recording);
    expect(state.state).toBe('recovered');
    expect(summary?.balanced).toBeNull();
    expect(marks.map((mark) => mark.text).join('\n')).toContain('slow');
    let answered = 0;
    for await (const rows of readExchanges(recording)) {
      answered += rows.filter((row) => row.status === 200 && row.link === 0).length;
    }
    expect(answered).toBeGreaterThan(100);
    for await (const rows of readSeries(recording)) {
      for (const { second } of rows) expect(Math.abs(second)).toBeLessThan(60);
    }
    const report = await runCli(['report', recording, '-o', path.join(folder.path, 'r.html')]);
    expect(report.stderr).toMatch(/r\.html: \d+ KiB/);
    expect(report.code).toBe(0);
    const follow = await runCli(['ledger', recording, '--client', '3', '--request', '2']);
    expect(follow.code).toBe(0);
    expect(follow.stdout).toContain('app->db');
    expect(readFileSync(path.join(recording, 'events.parquet')).subarray(0, 4).toString()).toBe(
      'PAR1',
    );
  });
});
