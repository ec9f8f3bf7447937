/** However a run ends, nothing of it stays: no process, no temporary folder. */
import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import type { Summary } from '../../src/model/summary.ts';
import { processesOf } from '../support/processes.ts';
import { startCli } from '../support/run-cli.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { incident, writeTopology } from './pipelines.ts';

const folder = tempFolder();
const CHAIN = ['run', writeTopology(folder.path, incident()), '--duration', '60s', '--json'];

afterAll(() => folder[Symbol.dispose]());

describe('the end of a run', () => {
  it('Ctrl-C strikes the books of what there was and exits with 130', async () => {
    await using run = startCli(CHAIN);
    await run.waitFor(/req\/s/);
    run.signal('SIGINT');
    const result = await run.ended;
    expect(result.code).toBe(130);
    expect(result.orphans).toEqual([]);
    expect(result.leftInTemp).toEqual([]);
    const summary: Summary = JSON.parse(result.stdout);
    expect(summary.balanced).toBe(true);
    expect(summary.durationSeconds).toBeLessThan(60);
  });

  it('a killed worker ends the run with exit code 1 and its cause', async () => {
    await using run = startCli(CHAIN);
    await run.waitFor(/req\/s/);
    const worker = workersOf(run.pid)[0];
    if (worker === undefined) throw new Error('the run has no worker process');
    process.kill(worker, 'SIGKILL');
    const result = await run.ended;
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(/process "\w+" ended with signal SIGKILL/);
    expect(result.orphans).toEqual([]);
    expect(result.leftInTemp).toEqual([]);
  });

  it('a killed supervisor leaves no process behind', async () => {
    await using run = startCli(CHAIN);
    await run.waitFor(/req\/s/);
    run.signal('SIGKILL');
    const result = await run.ended;
    expect(result.signal).toBe('SIGKILL');
    expect(result.orphans).toEqual([]);
  });
});

/** Process ids of a run's worker processes. */
function workersOf(supervisor: number): number[] {
  return processesOf(supervisor, '')
    .filter(({ pid, command }) => pid !== supervisor && command.includes('worker-main'))
    .filter(({ pid }) =>
      readFileSync(`/proc/${pid}/status`, 'utf8').includes(`PPid:\t${supervisor}`),
    )
    .map(({ pid }) => pid);
}
