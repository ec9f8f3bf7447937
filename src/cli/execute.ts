/**
 * One run from a topology document to a summary: what `run` and `demo` share. Starts the live
 * engine, shows its progress on stderr, takes control requests and Ctrl-C, and turns the events
 * into a recording, books, measures and findings.
 */
import { tmpdir } from 'node:os';
import path from 'node:path';
import { findAll } from '../finding/rules.ts';
import { ControlServer } from '../live/supervisor/control-server.ts';
import { ScratchFolder } from '../live/supervisor/scratch-folder.ts';
import { type LiveRun, runLive } from '../live/supervisor/supervisor.ts';
import { ledger } from '../measure/ledger.ts';
import type { SecondRow } from '../measure/rows.ts';
import { hopNamed } from '../model/plan.ts';
import type { RunInfo } from '../model/run.ts';
import type { Summary } from '../model/summary.ts';
import type { Topology } from '../model/topology.ts';
import { completeRecording, convertSpools, foldSpools } from '../recording/convert.ts';
import { prepareRecording } from '../recording/folder.ts';
import { readRun, writeRun } from '../recording/run-document.ts';
import { topologyHash } from '../topology/hash.ts';
import { controlHandler } from './control-handler.ts';
import { type Interruption, onInterrupt } from './interruption.ts';
import type { LivePage } from './live-page.ts';
import { LiveTable } from './live-table.ts';
import { version } from './version.ts';

export interface ExecuteOptions {
  readonly title: string;
  readonly topology: Topology;
  readonly seed: number;
  /** Recording folder, or null for a run that keeps nothing. */
  readonly record: string | null;
  readonly recordEvents: boolean;
  readonly recordPolicies: boolean;
  readonly bookless: boolean;
  readonly ndjson: boolean;
  readonly externalClients: boolean;
  readonly verbose: boolean;
  /** Serve a page while it runs. */
  readonly page: boolean;
}

export interface Executed {
  readonly info: RunInfo;
  readonly summary: Summary;
  readonly seconds: readonly SecondRow[];
  readonly interrupted: boolean;
  /** Why the run failed although it could be summed up (a process died), or null. */
  readonly failure: string | null;
  /** The caller lets it stay as long as somebody looks, or closes it. */
  readonly page: LivePage | null;
}

/** Throws errors with a stable `code` for what a user can mend (port in use, missing program). */
export async function execute(options: ExecuteOptions): Promise<Executed> {
  const scratch = await ScratchFolder.open();
  const folder = options.record ?? path.join(scratch.path, 'events');
  const interruption = onInterrupt();
  const forget = (): void => scratch.remove();
  // Giving up at a second Ctrl-C must leave no temporary folder either.
  process.once('exit', forget);
  try {
    await prepareRecording(folder);
    const shown = { page: null };
    return await runAndSumUp(options, { folder, scratch: scratch.path, interruption, shown });
  } finally {
    interruption.stop();
    process.off('exit', forget);
    forget();
  }
}

/** What a run has at hand. */
interface Means {
  /** Where its events go. */
  readonly folder: string;
  readonly scratch: string;
  readonly interruption: Interruption;
  readonly shown: { page: LivePage | null };
}

/** Without room for its events a run ends, and is not summed up: what it has is a part. */
async function runAndSumUp(options: ExecuteOptions, means: Means): Promise<Executed> {
  const { folder, interruption } = means;
  try {
    const { run, failure } = await live(options, means);
    await means.shown.page?.loadEnded();
    if (failure?.code === 'recording-write-failed') throw failure;
    const info = run.info();
    const { summary, seconds } = await sumUp(options, folder, info);
    const interrupted = interruption.signal.aborted;
    const { page } = means.shown;
    page?.over(summary);
    return { info, summary, seconds, interrupted, failure: failure?.message ?? null, page };
  } catch (thrown) {
    await means.shown.page?.close();
    if (!isUnwritten(thrown)) throw thrown;
    const advice = await adviceOnRoom(options.record, folder);
    const { code, message } = thrown;
    throw Object.assign(new Error(`${message}${advice}`, { cause: thrown }), { code });
  }
}

async function adviceOnRoom(record: string | null, folder: string): Promise<string> {
  if (record === null) return `\n  (events wait in ${tmpdir()} until the run is summed up)`;
  const hasBegun = await readRun(folder).then(
    () => true,
    () => false,
  );
  if (!hasBegun) return '';
  return `\n  what was recorded until then stays: make room, then "waterhammer recover ${folder}"`;
}

function isUnwritten(thrown: unknown): thrown is Error & { readonly code: string } {
  return thrown instanceof Error && 'code' in thrown && thrown.code === 'recording-write-failed';
}

const RUNNING = { state: 'running', tables: [], spools: [] } as const;

async function live(
  options: ExecuteOptions,
  { folder, scratch, interruption, shown }: Means,
): Promise<Awaited<ReturnType<typeof runLive>>> {
  const { topology, seed } = options;
  const table = new LiveTable(process.stderr, options.title);
  let control: ControlServer | null = null;
  const progress = new Progress(folder);
  const log = (text: string): void => {
    if (options.verbose) process.stderr.write(`${text}\n`);
  };
  try {
    return await runLive({
      topology,
      topologyHash: topologyHash(topology),
      version,
      seed,
      folder,
      externalClients: options.externalClients,
      recordPolicies: options.recordPolicies,
      bookless: options.bookless,
      signal: interruption.signal,
      onStarted: async (run) => {
        await progress.write(run);
        if (options.record !== null) {
          control = await ControlServer.open(folder, scratch, controlHandler(run, topology));
        }
        if (options.externalClients) printAddresses(run, topology);
        if (options.page) shown.page = await openPage(options, folder, run);
      },
      onTick: (tick) => {
        progress.began();
        table.tick(tick);
      },
      onMark: (mark, loadStart) => {
        progress.marked();
        table.mark(mark, loadStart);
        shown.page?.run.tellFace();
      },
      onLog: log,
    });
  } finally {
    await (control as ControlServer | null)?.close();
    await progress.written;
  }
}

async function openPage(
  { title, record, topology }: ExecuteOptions,
  folder: string,
  run: LiveRun,
): Promise<LivePage | null> {
  const control = controlHandler(run, topology);
  const { LivePage } = await import('./live-page.ts');
  return LivePage.open({ name: title, folder, recording: record, info: () => run.info(), control });
}

/**
 * Keeps `run.json` up to date while the run goes on, so that a killed run can be recovered with
 * the start of its load and its marks.
 */
class Progress {
  /** Writes follow each other; a failed one is made good by the next, or by the last. */
  written: Promise<void> = Promise.resolve();
  readonly #folder: string;
  #run: LiveRun | null = null;
  #began = false;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The first write, when everything listens; rejects when it fails. */
  write(run: LiveRun): Promise<void> {
    this.#run = run;
    return writeRun(this.#folder, run.info(), RUNNING, null);
  }

  began(): void {
    if (this.#began) return;
    this.#began = true;
    this.marked();
  }

  marked(): void {
    const run = this.#run;
    if (run === null || !this.#began) return;
    this.written = this.written.then(() => this.write(run)).catch(() => {});
  }
}

/** Where an external client should send its requests: the first hops that are ours. */
function printAddresses(run: LiveRun, topology: Topology): void {
  for (const link of run.plan.links) {
    if (hopNamed(topology, link.downstream).kind !== 'clients') continue;
    for (const { address, port } of run.endpoints.filter((one) => one.link === link.index)) {
      process.stderr.write(
        `${link.upstream} listens for "${link.downstream}" at http://${address}:${port}\n`,
      );
    }
  }
}

async function sumUp(
  options: ExecuteOptions,
  folder: string,
  info: RunInfo,
): Promise<{ summary: Summary; seconds: SecondRow[] }> {
  const seconds: SecondRow[] = [];
  const makeFold: Parameters<
    typeof foldSpools<ReturnType<ReturnType<typeof ledger>['finish']>>
  >[2] = (of, sinks) =>
    ledger(of, {
      ...sinks,
      onSecond: (row) => {
        seconds.push(row);
        sinks.onSecond(row);
      },
    });
  const { record, recordEvents, ndjson } = options;
  const conversion =
    record === null
      ? await foldSpools(folder, info, makeFold)
      : await convertSpools(folder, info, makeFold, { recordEvents, ndjson });
  const struck = conversion.result.summary;
  const findings = findAll({ topology: info.topology, info, summary: struck, seconds });
  const summary: Summary = { ...struck, recording: record, findings };
  if (record !== null) await completeRecording(folder, info, summary, conversion);
  return { summary, seconds };
}
