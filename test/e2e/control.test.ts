/** Changes and faults by hand while a run goes on: each is marked, and each has its effect. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { control as controlHere } from '../../src/cli/control.ts';
import type { Summary } from '../../src/model/summary.ts';
import { readRun } from '../../src/recording/run-document.ts';
import { captured } from '../support/captured.ts';
import { type CliResult, runCli, startCli } from '../support/run-cli.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { expectClean, incident, linkOf, only, writeTopology } from './pipelines.ts';

async function control(recording: string, ...words: string[]): Promise<CliResult> {
  return runCli(['control', recording, ...words]);
}

async function done(recording: string, ...words: string[]): Promise<void> {
  const result = await control(recording, ...words);
  expect(result.stderr).toBe('');
  expect(result.stdout).toContain(words.at(-1));
  expect(result.code).toBe(0);
}

describe('control', () => {
  it('changes settings and causes faults in a running run', async () => {
    using folder = tempFolder();
    const recording = path.join(folder.path, 'rec');
    const file = writeTopology(folder.path, incident());
    const args = ['run', file, '--duration', '60s', '--record', recording, '--json'];
    await using run = startCli(args);
    await run.waitFor(/req\/s/);

    await done(recording, 'set', 'apigw.throttle.burst=1');
    await done(recording, 'set', 'apigw.throttle.ratePerSecond=1/s');
    await sleep(1_000);
    await done(recording, 'set', 'apigw.throttle.ratePerSecond=10000/s');
    await done(recording, 'set', 'apigw.throttle.burst=5000');
    await done(recording, 'stall', 'hop=db', 'lasts=1s');
    await sleep(1_200);
    await done(recording, 'replace-nodes', 'hop=apigw', 'count=3');
    await done(recording, 'deregister', 'hosts=ec2', 'replica=1', 'lasts=300ms');
    await sleep(500);
    await done(recording, 'host-down', 'hosts=ec2', 'replica=0', 'lasts=500ms');
    await done(recording, 'mark', 'after', 'the', 'host');
    await refuses(recording);
    await sleep(1_000);

    run.signal('SIGINT');
    const result = await run.ended;
    expect(result.code).toBe(130);
    expectClean(result);
    expect(existsSync(path.join(recording, 'control.json'))).toBe(false);
    const summary: Summary = JSON.parse(result.stdout);
    expect(summary.imbalances.filter((one) => !one.explained)).toEqual([]);
    expect(summary.balanced).toBe(true);
    // 12 users at 1/s for a second: almost everybody was turned away.
    expect(only(summary.clients).requests.throttled429).toBeGreaterThan(50);
    expect(linkOf(summary, 'nlb->queue').closedBy.local_rst).toBeGreaterThan(0);
    await marked(recording);
  });

  it('says so when no run goes on there', async () => {
    using folder = tempFolder();
    const result = await control(folder.path, 'stall', 'hop=db', 'lasts=1s');
    expect(result.code).toBe(2);
    expect(result.stderr).toContain('no run is going on');
  });
});

/**
 * Wrong requests: exit code 2, what is wrong and what there is instead; the run goes on. (That a
 * process ends with the command's code is seen where no run goes on.)
 */
async function refuses(recording: string): Promise<void> {
  const wrong = [
    [['set', 'apigw.throttle.ratePerSecnd=200/s'], 'ratePerSecond'],
    [['set', 'apigwy.nodes=2'], 'apigw'],
    [['set', 'queue.activeMax=-3'], 'activeMax'],
    [['set', 'queue.activeMax'], 'path=value'],
    [['stal', 'hop=db', 'lasts=1s'], 'stall'],
    [['stall', 'hop=database', 'lasts=1s'], 'db'],
    [['stall', 'hop=db'], 'lasts'],
    [['stall', 'hop=db', 'lasts=1parsec'], 'lasts'],
    [['stall', 'hop=db', 'lasts=0'], 'lasts'],
    [['stall', 'hop=apigw', 'lasts=1s'], 'choose from: app, db'],
    [['host-down', 'hosts=ec2', 'replica=7', 'lasts=1s'], 'write at most 1'],
    [['deregister', 'hosts=ec2', 'replica=2', 'lasts=1s'], 'numbered from 0'],
    [['replace-nodes', 'hop=apigw', 'count=0'], 'count'],
    [['replace-nodes', 'hop=apigw', 'count=99'], 'has only'],
    [['reset-connections', 'hop=apigw', 'share='], 'share'],
  ] as const;
  for (const [words, hint] of wrong) {
    const [action, ...rest] = words;
    const result = await captured(() => controlHere(recording, action, rest));
    expect([words, result.code]).toEqual([words, 2]);
    expect(result.stdout).toBe('');
    expect(result.stderr).toContain(hint);
  }
}

async function marked(recording: string): Promise<void> {
  const { marks, loadStart, loadEnd } = await readRun(recording);
  const texts = marks.map((mark) => `${mark.kind}: ${mark.text}`);
  for (const expected of [
    'set: apigw.throttle.ratePerSecond=1/s',
    'set: apigw.throttle.ratePerSecond=10000/s',
    'fault: stall hop=db lasts=1s',
    'fault: replace-nodes hop=apigw count=3',
    'fault: deregister hosts=ec2 replica=1 lasts=300ms',
    'fault: host-down hosts=ec2 replica=0 lasts=500ms',
  ]) {
    expect(texts).toContain(expected);
  }
  expect(texts.join('\n')).toContain('after the host');
  for (const { at } of marks) {
    expect(at).toBeGreaterThan(loadStart);
    expect(at).toBeLessThanOrEqual(loadEnd ?? 0);
  }
  // What was refused leaves no mark, and the document is what anybody can read.
  const text = readFileSync(path.join(recording, 'run.json'), 'utf8');
  expect(text).not.toContain('parsec');
  expect(text).not.toContain('hop=apigw lasts');
}
