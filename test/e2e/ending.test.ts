/** However a run ends, nothing of it stays: no process, no temporary folder. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import type { Summary } from '../../src/model/summary.ts';
import { processesOf } from '../support/processes.ts';
import { projectRoot, runCli, startCli } from '../support/run-cli.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { incident, linkOf, only, writeTopology } from './pipelines.ts';

const folder = tempFolder();
const CHAIN = ['run', writeTopology(folder.path, incident()), '--duration', '60s', '--json'];

afterAll(() => folder[Symbol.dispose]());

// Two side by side, each time: they wait for most of it.

describe('the end of a run', () => {
  it.concurrent('Ctrl-C strikes the books of what there was and exits with 130', async () => {
    const summary = await summaryEndedBy('SIGINT');
    expect(summary.balanced).toBe(true);
    expect(summary.durationSeconds).toBeLessThan(60);
  });

  it.concurrent('SIGTERM ends it as Ctrl-C does', async () => {
    const summary = await summaryEndedBy('SIGTERM');
    expect(summary.balanced).toBe(true);
  });
});

async function summaryEndedBy(signal: 'SIGINT' | 'SIGTERM'): Promise<Summary> {
  await using run = startCli(CHAIN);
  await run.waitFor(/req\/s/);
  run.signal(signal);
  const result = await run.ended;
  expect(result.code).toBe(130);
  expect(result.orphans).toEqual([]);
  expect(result.leftInTemp).toEqual([]);
  return JSON.parse(result.stdout);
}

describe('the end of a run without a worker', () => {
  it.concurrent.each([
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
    expect(closedBy).toEqual({ process_died: opened });
    const { sent, answered, failed, pending } = only(summary.clients).requests;
    expect(sent).toBe(answered + failed + pending);
  });
});

describe('the end of a run without its supervisor', () => {
  it.concurrent.each([
    ['events', []],
    ['control socket', ['--record']],
  ])(
    'a killed supervisor leaves no process, and its %s only until the next run',
    async (...one) => {
      const [, record] = one;
      using shared = tempFolder();
      const env = { TMPDIR: shared.path };
      const recording = record.flatMap((option) => [option, path.join(folder.path, 'rec')]);
      await using run = startCli([...CHAIN, ...recording], { env });
      await run.waitFor(/req\/s/);
      run.signal('SIGKILL');
      const result = await run.ended;
      expect(result.signal).toBe('SIGKILL');
      expect(result.orphans).toEqual([]);
      expect(readdirSync(shared.path)).toEqual([expect.stringMatching(/^waterhammer-/)]);

      const direct = path.join(projectRoot, 'examples', 'direct.yaml');
      const next = await runCli(['run', direct, '--duration', '100ms'], { env });
      expect(next.code, next.stderr).toBe(0);
      expect(readdirSync(shared.path)).toEqual([]);
    },
  );
});

describe('the end of a run that does not come', () => {
  it('given up at a second Ctrl-C, while it is summed up or before', async () => {
    const recording = path.join(folder.path, 'given-up');
    await using run = startCli([...CHAIN, '--record', recording]);
    await run.waitFor(/req\/s/);
    // A supervisor that cannot go on: its workers are stopped and never answer.
    const workers = workersOf(run.pid);
    for (const worker of workers) process.kill(worker, 'SIGSTOP');
    run.signal('SIGINT');
    await run.waitFor(/interrupted/);
    await sleep(1_100);
    run.signal('SIGINT');
    for (const worker of workers) process.kill(worker, 'SIGCONT');
    const result = await run.ended;
    expect(result.code).toBe(130);
    expect(result.orphans).toEqual([]);
    expect(result.leftInTemp).toEqual([]);
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
