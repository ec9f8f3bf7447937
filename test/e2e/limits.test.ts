/**
 * Many connections, and what runs out while a run goes on: ephemeral ports, the disk, and the
 * time that the disk takes. Each ends in counted failures or in one clear message, never in a
 * crash. (Descriptors: descriptors.test.ts.)
 *
 * A crowd of 5,000 is held at a queue for a minute while the other tests of this file run.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openFilesMax } from '../../src/live/runtime/process-limits.ts';
import type { Summary } from '../../src/model/summary.ts';
import { readRun } from '../../src/recording/run-document.ts';
import { inNamespace, requireNamespace } from '../support/namespaces.ts';
import { runCli } from '../support/run-cli.ts';
import { requireProgram, type Skippable, skip } from '../support/skips.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { HeldCrowd, until } from './held-crowd.ts';
import { balanced, outcomeOf } from './outcome.ts';
import {
  expectClean,
  incident,
  linkOf,
  only,
  type TopologyDocument,
  users,
  writeTopology,
} from './pipelines.ts';

const CROWD = 5_000;
const HELD_MS = 60_000;
const QUEUE = { name: 'queue', kind: 'connection-queue', activeMax: 15, whileHeld: 'watch' };
const APP = { name: 'app', kind: 'app', serviceTime: '2ms', keepAliveTimeout: 0 };
const STACK = /^\s+at .*:\d+:\d+\)?$/m;

const folder = tempFolder();
let crowd: HeldCrowd | null = null;
let heldSince = 0;

/** Of a process: the crowd itself, and as many again that its queue keeps free for their ways. */
const DESCRIPTORS = 12_000;
const hasDescriptors = openFilesMax(readFileSync('/proc/self/limits', 'latin1')) >= DESCRIPTORS;

function requireDescriptors(context: Skippable): void {
  if (!hasDescriptors) skip(`a process may open fewer than ${DESCRIPTORS} files`, context);
}

beforeAll(async () => {
  if (!hasDescriptors) return;
  const hops = [users(CROWD, '1s'), QUEUE, APP];
  const file = writeTopology(folder.path, { name: 'held', hops });
  crowd = new HeldCrowd(['run', file, '--no-load', '--duration', '5m', '--json']);
  await crowd.open(CROWD);
  heldSince = performance.now();
});

afterAll(async () => {
  await crowd?.run[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

describe('5,000 clients of our own', () => {
  it('at once: all are accepted, 15 served, the others held', async (context) => {
    requireDescriptors(context);
    const workload = { kind: 'closed', thinkTime: '1s', startWithin: '1s' };
    const clients = users(CROWD, '1s', { timeout: 0, workload });
    const document = { name: 'crowd', duration: '6s', hops: [clients, QUEUE, APP] };
    const { summary } = await outcomeOf([writeTopology(folder.path, document)]);
    const { requests, served } = only(summary.clients);
    expect(served).toBe(15);
    expect(requests).toMatchObject({ failed: 0, pending: CROWD - 15 });
    expect(requests.sent).toBe(requests.answered + requests.pending);
    expect(linkOf(summary, 'clients->queue')).toMatchObject({ opened: CROWD, open: CROWD });
    expect(only(summary.queues).heldMax).toBe(CROWD - 15);
  });
});

describe('ephemeral ports', () => {
  it('exhausted: connects fail, are counted, and the run goes on', async (context) => {
    requireProgram('ip', context);
    requireNamespace('net', context);
    using folder = tempFolder();
    const document: TopologyDocument = {
      name: 'ports',
      duration: '3s',
      hops: [users(120, '100ms'), { ...QUEUE, reclaim: 'idle-yield' }, APP],
    };
    const program = inNamespace(
      'net',
      folder.path,
      'ip link set lo up\necho 40000 40063 > /proc/sys/net/ipv4/ip_local_port_range',
    );
    const { summary } = await outcomeOf([writeTopology(folder.path, document)], { program });
    const link = linkOf(summary, 'clients->queue');
    const { requests } = only(summary.clients);
    expect(link.opened).toBeGreaterThan(40);
    expect(link.opened).toBeLessThan(64);
    expect(requests.failed).toBeGreaterThan(60);
    expect(requests.resets).toBe(0);
    expect(requests.ok).toBeGreaterThan(500);
    expect(requests.sent).toBe(requests.answered + requests.failed + requests.pending);
  });
});

/** A disk of that size for a recording, which is copied when the program has ended. */
function smallDisk(folder: string, size: string) {
  const small = path.join(folder, 'small');
  const kept = path.join(folder, 'kept');
  mkdirSync(small);
  const program = inNamespace(
    'mnt',
    folder,
    `mount -t tmpfs -o size=${size} none ${small}`,
    `cp -r ${small}/rec ${kept}`,
  );
  return { program, recording: path.join(small, 'rec'), kept };
}

describe('the disk', () => {
  it('full: the run ends at once and says so; what it has is recovered', async (context) => {
    requireNamespace('mnt', context);
    using folder = tempFolder();
    const { program, recording, kept } = smallDisk(folder.path, '1m');
    const file = writeTopology(folder.path, incident());
    const args = ['run', file, '--duration', '60s', '--json', '--record', recording];
    const result = await runCli([...args, '--record-policies'], { program });
    expect(result.code).toBe(1);
    expect(result.stdout).toBe('');
    expect(result.stderr).toMatch(/waterhammer: error: .*cannot be written: ENOSPC/);
    expect(result.stderr).toContain(`waterhammer recover ${recording}`);
    expect(result.stderr).not.toMatch(STACK);
    expectClean(result);

    const recovered = await runCli(['recover', kept]);
    expect(recovered.stderr).toBe('');
    expect(recovered.stdout).toMatch(/^\d{4,} events recovered/);
    expect((await readRun(kept)).recording.state).toBe('recovered');
  });

  it('full while a simulation is recorded: what fits is kept, and can be read', async (context) => {
    requireNamespace('mnt', context);
    using folder = tempFolder();
    const { program, recording, kept } = smallDisk(folder.path, '2500k');
    const file = path.resolve('examples/direct.yaml');
    const args = ['simulate', file, '--duration', '600s', '--json', '--record', recording];
    const result = await runCli(args, { program });
    expect(result.code).toBe(1);
    // What took so long is not lost, whatever becomes of the recording.
    const { recording: said, durationSeconds }: Summary = JSON.parse(result.stdout);
    expect([said, durationSeconds]).toEqual([recording, 600]);
    const full = `error: ${recording}/exchanges.parquet cannot be written: ENOSPC: no space left`;
    expect(result.stderr).toContain(full);
    expect(result.stderr).toContain(`${recording} has run.json, connections, slots, series\n`);
    expect(result.stderr).not.toMatch(STACK);

    const tables = ['connections', 'slots', 'series'];
    expect((await readRun(kept)).recording).toMatchObject({ state: 'complete', tables });
    const files = ['run.json', ...tables.map((name) => `${name}.parquet`)];
    expect(readdirSync(kept).sort()).toEqual(files.sort());
    const report = await runCli(['report', kept, '-o', path.join(folder.path, 'report.html')]);
    expect(report.code).toBe(0);
  });

  it('too small for a recording: a simulation says so before it begins', async (context) => {
    requireNamespace('mnt', context);
    using folder = tempFolder();
    const small = path.join(folder.path, 'small');
    mkdirSync(small);
    const program = inNamespace('mnt', folder.path, `mount -t tmpfs -o size=1m none ${small}`);
    const recording = path.join(small, 'rec');
    const file = path.resolve('examples/direct.yaml');
    const args = ['simulate', file, '--duration', '30d', '--detail', 'series'];
    const result = await runCli([...args, '--record', recording], { program });
    expect(result.code).toBe(1);
    expect(result.stderr).toContain(`${recording} has no room for a recording: ENOSPC`);
  });
});

/** Loaded before every program of the run: a disk that takes a second and a half for a block. */
const SLOW_DISK = `
  import { open } from 'node:fs/promises';
  const file = await open('/dev/null');
  const { prototype } = file.constructor;
  await file.close();
  const { write } = prototype;
  prototype.write = async function (...given) {
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    return write.apply(this, given);
  };
`;

describe('the recorder', () => {
  it('slower than the events: it keeps few of them, and the books name the loss', async () => {
    using folder = tempFolder();
    const slow = path.join(folder.path, 'slow.mjs');
    const recording = path.join(folder.path, 'rec');
    writeFileSync(slow, SLOW_DISK);
    const env = { NODE_OPTIONS: `--import ${slow}`, WATERHAMMER_SPOOL_BLOCKS_MAX: '2' };
    const file = writeTopology(folder.path, incident());
    const result = await runCli(['run', file, '--json', '--record', recording], { env });
    expect(result.code).toBe(1);
    expect(result.stderr).not.toMatch(STACK);
    expectClean(result);

    const summary: Summary = JSON.parse(result.stdout);
    expect(summary.balanced).toBe(false);
    const told = only(summary.imbalances.filter(({ kind }) => kind === 'events-lost'));
    expect(told.text).toContain('recorder was slower');
    // "process 1: 123", for each time that there was room again.
    const lost = told.examples.map((example) => Number(example.split(': ')[1]));
    const sum = lost.reduce((all, one) => all + one, 0);
    expect(sum).toBeGreaterThan(1_000);
    const { spools } = (await readRun(recording)).recording;
    expect(sum).toBe(spools.reduce((all, one) => all + one.missingEvents, 0));
  });
});

describe('5,000 foreign connections', () => {
  it('held for a minute: none is lost, and the queue goes on as before', async (context) => {
    requireDescriptors(context);
    if (crowd === null) throw new Error('there is no crowd');
    const left = heldSince + HELD_MS - performance.now();
    await sleep(Math.max(left, 0));
    const { memory, run } = crowd;
    const kilobytes = (memory.bytesEach / 1_024).toFixed(1);
    const milliseconds = Math.round(memory.openedWithinMs);
    process.stderr.write(
      `measured: ${CROWD} connections open after ${milliseconds} ms, ${kilobytes} kB each\n`,
    );
    expect([crowd.losses, crowd.answers]).toEqual([0, 15]);

    crowd.leave(15);
    const { answers } = crowd;
    await until(() => (crowd?.answers ?? 0) === answers + 15, 'answers for those who came next');
    expect(crowd.losses).toBe(0);
    crowd.leave(CROWD);
    run.signal('SIGINT');
    const ended = await run.ended;
    expect(ended.code).toBe(130);
    const { summary } = balanced(ended);
    expect(linkOf(summary, 'clients->queue')).toMatchObject({ opened: CROWD });
    // Those who wait for a slot leave with their requests unanswered.
    expect(linkOf(summary, 'queue->app').exchanges).toBeGreaterThanOrEqual(30);
  });
});
