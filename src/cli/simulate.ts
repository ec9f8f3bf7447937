/** `waterhammer simulate`: a topology in simulated time, and the summary that `run` prints. */
import { setImmediate } from 'node:timers/promises';
import { findAll } from '../finding/rules.ts';
import { type Ledger, ledger } from '../measure/ledger.ts';
import type { SecondRow } from '../measure/rows.ts';
import type { RunInfo } from '../model/run.ts';
import type { Summary } from '../model/summary.ts';
import type { Topology } from '../model/topology.ts';
import { completeRecording, RecordingTables } from '../recording/convert.ts';
import { prepareRecording } from '../recording/folder.ts';
import { Simulation } from '../sim/simulation.ts';
import { EventWriter } from '../stream/columns.ts';
import { topologyHash } from '../topology/hash.ts';
import { ExitCode } from './exit-code.ts';
import { type Interruption, onInterrupt } from './interruption.ts';
import { INCIDENT, loadTopology } from './load-topology.ts';
import { SimulationProgress } from './simulation-progress.ts';
import { textSummary } from './text-summary.ts';
import { version } from './version.ts';

export interface SimulateOptions {
  readonly duration?: string;
  readonly start?: string;
  readonly scale: number;
  readonly timeScale: number;
  readonly set: readonly string[];
  readonly seed: number;
  readonly record?: string;
  readonly recordEvents?: boolean;
  readonly ndjson?: boolean;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

/** Events between two looks at the clock and at Ctrl-C. */
const EVENTS_PER_STEP = 20_000;

/** `file` null = the incident, as it comes with the package. */
export async function simulate(file: string | null, options: SimulateOptions): Promise<number> {
  const { scale, timeScale } = options;
  const set = [...options.set];
  if (options.duration !== undefined) set.push(`duration=${options.duration}`);
  if (options.start !== undefined) set.push(`startTimeOfDay=${options.start}`);
  const verbose = options.verbose === true;
  const topology = await loadTopology(file ?? INCIDENT, { set, scale, timeScale }, verbose);
  if (topology === null) return ExitCode.badInput;
  const interruption = onInterrupt();
  try {
    const summary = await live(topology, options, interruption);
    const json = options.json === true;
    process.stdout.write(json ? `${JSON.stringify(summary, null, 2)}\n` : textSummary(summary));
    if (interruption.signal.aborted) return ExitCode.interrupted;
    return summary.balanced === false ? ExitCode.failed : ExitCode.done;
  } finally {
    interruption.stop();
  }
}

/** Lives through it, with the ledger beside: no event is kept unless it is asked for. */
async function live(
  topology: Topology,
  options: SimulateOptions,
  interruption: Interruption,
): Promise<Summary> {
  const record = options.record ?? null;
  if (record !== null) await prepareRecording(record);
  const seconds: SecondRow[] = [];
  const counts = [0];
  let books: Ledger | null = null;
  let visit: Ledger['visit'] = () => {};
  const writer = new EventWriter(0, (block) => {
    for (let row = 0; row < block.count; row++) visit(0, block.firstSequence + row, block, row);
  });
  const simulation = new Simulation({
    topology,
    topologyHash: topologyHash(topology),
    version,
    seed: options.seed,
    recorder: writer,
  });
  const info = simulation.info(counts);
  const tables = record === null ? null : new RecordingTables(record, info, options);
  try {
    books = ledger(info, {
      ...tables?.sinks,
      onSecond: (row) => {
        seconds.push(row);
        tables?.sinks.onSecond(row);
      },
    });
    visit = tables === null ? books.visit : tables.alsoWrite(books.visit);
    await passTime(simulation, topology.name, interruption);
    if (interruption.signal.aborted) {
      writer.flush();
      books.endEarly(simulation.now);
    }
    simulation.finish();
    writer.flush();
    counts[0] = writer.written;
    const { summary: struck } = books.finish();
    const final = simulation.info(counts);
    const findings = findAll({ topology, info: final, summary: struck, seconds });
    const summary: Summary = { ...struck, recording: record, findings };
    if (record !== null && tables !== null) await keep(record, final, summary, tables);
    return summary;
  } catch (thrown) {
    tables?.abandon();
    throw thrown;
  }
}

async function keep(
  folder: string,
  info: RunInfo,
  summary: Summary,
  tables: RecordingTables,
): Promise<void> {
  await completeRecording(folder, info, summary, { spools: [], tables: tables.finish() });
}

async function passTime(
  simulation: Simulation,
  title: string,
  { signal }: Interruption,
): Promise<void> {
  const progress = new SimulationProgress(process.stderr, title, simulation.end);
  while (!signal.aborted && !simulation.step(EVENTS_PER_STEP)) {
    progress.at(simulation.now);
    await setImmediate();
  }
  progress.over(simulation.now);
}
