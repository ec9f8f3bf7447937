/** However a run ends, nothing of it stays: no process, no temporary folder. */
import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import type { Summary } from '../../src/model/summary.ts';
import { processesOf } from '../support/processes.ts';
import { startCli } from '../support/run-cli.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { incident, linkOf, only, writeTopology } from './pipelines.ts';

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

  it.each([
    ['front', 0, 'apigw->nlb'],
    ['back', 1, 'queue->nginx'],
  ])('a killed worker (%s) ends the run; its peers close the books for it', async (...given) => {
    const [name, number, link] = given;
    await using run = startCli(CHAIN);
    await run.waitFor(/req\/s/);
    const worker = workersOf(run.pid)[number];
    if (worker === undefined) throw new Error('the run has no such worker process');
    process.kill(worker, 'SIGKILL');
    const result = await run.ended;
    expect(result.code).toBe(1);
    expect(result.stderr).toContain(`process "${name}" ended with signal SIGKILL`);
    expect(result.orphans).toEqual([]);
    expect(result.leftInTemp).toEqual([]);
    const summary: Summary = JSON.parse(result.stdout);
    expect(summary.imbalances.filter(({ explained }) => !explained)).toEqual([]);
    expect(summary.balanced).toBe(true);
    const { opened, closedBy } = linkOf(summary, link);
    expect(opened).toBeGreaterThan(0);
    expect(closedBy.process_died).toBe(opened);
    const { sent, answered, failed, pending } = only(summary.clients).requests;
    expect(sent).toBe(answered + failed + pending);
  });

  it('SIGTERM ends it as Ctrl-C does', async () => {
    await using run = startCli(CHAIN);
    await run.waitFor(/req\/s/);
    run.signal('SIGTERM');
    const result = await run.ended;
    expect(result.code).toBe(130);
    expect(result.orphans).toEqual([]);
    expect(result.leftInTemp).toEqual([]);
    const summary: Summary = JSON.parse(result.stdout);
    expect(summary.balanced).toBe(true);
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
