/** `waterhammer simulate`: a topology in simulated time, and the summary that `run` prints. */
import path from 'node:path';
import { findAll } from '../finding/rules.ts';
import { PolicyLog } from '../live/runtime/policy-log.ts';
import type { Summary } from '../model/summary.ts';
import type { Topology } from '../model/topology.ts';
import type { Micros } from '../model/units.ts';
import { noTap } from '../policy/tap.ts';
import { completeRecording } from '../recording/convert.ts';
import { RecordingError } from '../recording/error.ts';
import { prepareRecording } from '../recording/folder.ts';
import { RecordingTables } from '../recording/recording-tables.ts';
import { ExitCode } from './exit-code.ts';
import { type Interruption, onInterrupt } from './interruption.ts';
import { INCIDENT, loadTopology } from './load-topology.ts';
import { expectedRequests, type Lived, liveInDetail, liveInSeries } from './simulation-detail.ts';
import type { SimulationPage } from './simulation-page.ts';
import { textSummary } from './text-summary.ts';
import { wantsPage } from './wants-page.ts';

export interface SimulateOptions {
  readonly duration?: string;
  readonly start?: string;
  readonly scale: number;
  readonly timeScale: number;
  readonly set: readonly string[];
  readonly seed: number;
  readonly detail: 'auto' | 'full' | 'series';
  readonly resolution: 'auto' | '1s' | '10s' | '60s';
  readonly record?: string;
  readonly recordEvents?: boolean;
  readonly recordPolicies?: boolean;
  readonly ndjson?: boolean;
  readonly json?: boolean;
  /** commander's name for --page and --no-page; absent where neither is said. */
  readonly page?: boolean;
  readonly verbose?: boolean;
}

/** Above this many requests `auto` follows series, not every connection. */
const FULL_DETAIL_MAX = 3_000_000;

/** Longer series have a row a minute, unless asked otherwise: a day of seconds fills a disk. */
const ROW_A_SECOND_MAX: Micros = 2 * 3_600_000_000;

/** `file` null = the incident, as it comes with the package. */
export async function simulate(file: string | null, options: SimulateOptions): Promise<number> {
  const topology = await loadTopology(file ?? INCIDENT, options, options.verbose === true);
  if (topology === null) return ExitCode.badInput;
  const interruption = onInterrupt();
  const page = wantsPage(options) ? await newPage(options.record ?? null) : null;
  try {
    const { summary, failure } = await live(topology, options, interruption, page);
    const json = options.json === true;
    process.stdout.write(json ? `${JSON.stringify(summary, null, 2)}\n` : textSummary(summary));
    interruption.stop();
    if (failure !== null) process.stderr.write(`waterhammer: error: ${failure}\n`);
    await page?.stay();
    if (interruption.signal.aborted) return ExitCode.interrupted;
    if (failure !== null) return ExitCode.failed;
    return summary.balanced === false ? ExitCode.failed : ExitCode.done;
  } finally {
    interruption.stop();
    await page?.close();
  }
}

/** Its server takes time to load, which most simulations need not wait for. */
async function newPage(record: string | null): Promise<SimulationPage> {
  const { SimulationPage } = await import('./simulation-page.ts');
  return new SimulationPage(record);
}

interface Outcome {
  readonly summary: Summary;
  /** What the disk did not take, though the simulation was lived through; null = nothing. */
  readonly failure: string | null;
}

/** The summary of what was lived through; a recording of it where one is asked for. */
async function live(
  topology: Topology,
  options: SimulateOptions,
  { signal }: Interruption,
  page: SimulationPage | null,
): Promise<Outcome> {
  const seriesOnly = inSeries(topology, options);
  const record = options.record ?? null;
  if (record !== null) await prepareRecording(record);
  const log =
    record === null || options.recordPolicies !== true
      ? null
      : new PolicyLog(path.join(record, 'policies-0'));
  const { recordEvents = false, ndjson = false } = options;
  const asked = { recordEvents, ndjson, seriesOnly, keepsWhole: true };
  const lived: Lived = await (seriesOnly ? liveInSeries : liveInDetail)({
    topology,
    seed: options.seed,
    tap: log?.tap ?? noTap,
    secondsPerRow: secondsPerRow(topology, options),
    signal,
    tables: (info) => (record === null ? null : new RecordingTables(record, info, asked)),
    page,
  });
  await log?.close();
  const { info, struck, seconds } = lived;
  const findings = findAll({ topology, info, summary: struck, seconds });
  const summary: Summary = { ...struck, recording: record, findings };
  const failure = await complete(lived, summary, log?.failure ?? null);
  await page?.ended(summary);
  return { summary, failure };
}

/** Keeps what is whole; says what could not be written and what there is. */
async function complete(
  { info, tables }: Lived,
  summary: Summary,
  failed: RecordingError | null,
): Promise<string | null> {
  const { recording } = summary;
  if (recording === null || tables === null) return null;
  const whole = tables.finish();
  let failure = failed ?? tables.failure;
  try {
    await completeRecording(recording, info, summary, { spools: [], tables: whole });
  } catch (thrown) {
    if (!(thrown instanceof RecordingError)) throw thrown;
    failure ??= thrown;
  }
  if (failure === null) return null;
  return `${failure.message}\n  ${recording} has ${['run.json', ...whole].join(', ')}`;
}

function secondsPerRow({ duration }: Topology, { resolution }: SimulateOptions): number {
  if (resolution === 'auto') return duration > ROW_A_SECOND_MAX ? 60 : 1;
  return Number.parseInt(resolution, 10);
}

function inSeries(topology: Topology, options: SimulateOptions): boolean {
  if (options.detail !== 'auto') return options.detail === 'series';
  if (options.resolution !== 'auto' && options.resolution !== '1s') return true;
  if (options.recordEvents === true || options.ndjson === true) return false;
  const expected = expectedRequests(topology);
  if (expected <= FULL_DETAIL_MAX) return false;
  process.stderr.write(
    `about ${(expected / 1e6).toFixed(0)} million requests: series only, no rows of connections ` +
      '(--detail full for those)\n',
  );
  return true;
}
