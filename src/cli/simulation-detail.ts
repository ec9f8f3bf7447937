/**
 * The two ways to live through a simulation: in full detail, every event told to the ledger, or
 * in series, counted by the simulator itself at a fraction of the cost. The summary is the same.
 */
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { Fold } from '../measure/fold.ts';
import type { ConnectionRow, ExchangeRow, RowSinks, SecondRow, SlotRow } from '../measure/rows.ts';
import { type Measured, summaryOf } from '../measure/strike.ts';
import type { RunInfo } from '../model/run.ts';
import type { Topology } from '../model/topology.ts';
import type { PolicyTap } from '../policy/tap.ts';
import { shapeIntegral } from '../random/arrivals.ts';
import { meanOf } from '../random/distribution.ts';
import type { RecordingTables } from '../recording/recording-tables.ts';
import { Simulation, type SimulationOptions } from '../sim/simulation.ts';
import { EventWriter } from '../stream/columns.ts';
import { byColumns, type EventVisitor } from '../stream/merge.ts';
import { topologyHash } from '../topology/hash.ts';
import type { SimulationPage } from './simulation-page.ts';
import { SimulationProgress } from './simulation-progress.ts';
import { version } from './version.ts';

export interface LiveOptions {
  readonly topology: Topology;
  readonly seed: number;
  readonly tap: PolicyTap;
  /** Of the series, where nothing else is followed. */
  readonly secondsPerRow: number;
  /** Aborting ends the load early. */
  readonly signal: AbortSignal;
  /** Opens the tables of a recording; null = none is kept. */
  readonly tables: (info: RunInfo) => RecordingTables | null;
  /** Shows it while it goes on; null = nobody looks. */
  readonly page: SimulationPage | null;
}

/** What is left of a simulation: the caller finishes (or abandons) the tables. */
export interface Lived {
  readonly info: RunInfo;
  readonly struck: Measured;
  readonly seconds: Iterable<SecondRow>;
  readonly tables: RecordingTables | null;
}

/** Events between two looks at the clock and at Ctrl-C. */
const EVENTS_PER_STEP = 20_000;

/** Every event goes to the ledger; none is kept unless it is asked for. */
export async function liveInDetail(options: LiveOptions): Promise<Lived> {
  const seconds: SecondRow[] = [];
  const counts = [0];
  let visit: EventVisitor = () => {};
  const writer = new EventWriter(0, (block) => {
    for (let row = 0; row < block.count; row++) visit(0, block.firstSequence + row, block, row);
  });
  const simulation = new Simulation({ ...common(options), recorder: writer });
  const info = simulation.info(counts);
  const tables = options.tables(info);
  try {
    const onSecond = (row: SecondRow): void => {
      seconds.push(row);
      tables?.sinks.onSecond(row);
    };
    const told = options.page?.begins(simulation) ?? {};
    const fold = new Fold(info, { ...toBoth(tables?.sinks ?? {}, told), onSecond });
    options.page?.follows(fold);
    const books = byColumns(fold.event);
    visit = tables === null ? books : tables.alsoWrite(books);
    await passTime(simulation, options);
    writer.flush();
    if (options.signal.aborted) fold.endEarly(simulation.now);
    simulation.finish();
    writer.flush();
    counts[0] = writer.written;
    fold.finish();
    return { info: simulation.info(counts), struck: summaryOf(fold), seconds, tables };
  } catch (thrown) {
    tables?.abandon();
    throw thrown;
  }
}

/** The simulator counts by itself: no event is told to anybody. */
export async function liveInSeries(options: LiveOptions): Promise<Lived> {
  // Nothing is allocated for a request: more room for young objects would be memory for nothing.
  setFlagsFromString('--semi-space-growth-factor=1');
  // Questions to rows are many and small; V8 takes half as many into their callers by itself.
  setFlagsFromString('--max-inlined-bytecode-size-cumulative=2000');
  let tables: RecordingTables | null = null;
  const onSecond = (row: SecondRow): void => tables?.sinks.onSecond(row);
  const { secondsPerRow } = options;
  const own = { recorder: null, onSecond, ...(secondsPerRow > 1 ? { secondsPerRow } : {}) };
  const simulation = new Simulation({ ...common(options), ...own });
  tables = options.tables(simulation.info([0]));
  options.page?.begins(simulation);
  if (simulation.series !== null) options.page?.followsSeries(simulation.series);
  try {
    await passTime(simulation, options);
    simulation.finish();
    const struck = simulation.measured();
    return { info: simulation.info([0]), struck, seconds: simulation.rows(), tables };
  } catch (thrown) {
    tables?.abandon();
    throw thrown;
  }
}

function common({ topology, seed, tap }: LiveOptions): Omit<SimulationOptions, 'recorder'> {
  return { topology, topologyHash: topologyHash(topology), version, seed, tap };
}

/** Rows go to the first and to the second, in this order; what nobody wants now is no row. */
function toBoth(first: RowSinks, second: RowSinks): RowSinks {
  const onExchange = (row: ExchangeRow): void => {
    first.onExchange?.(row);
    second.onExchange?.(row);
  };
  return {
    onConnection: (row: ConnectionRow) => {
      first.onConnection?.(row);
      second.onConnection?.(row);
    },
    get onExchange() {
      return (first.onExchange ?? second.onExchange) === undefined ? undefined : onExchange;
    },
    onSlot: (row: SlotRow) => {
      first.onSlot?.(row);
      second.onSlot?.(row);
    },
  } as RowSinks;
}

async function passTime(
  simulation: Simulation,
  { topology, signal, page }: LiveOptions,
): Promise<void> {
  const progress = new SimulationProgress(process.stderr, topology.name, simulation.end);
  while (!signal.aborted && !simulation.step(EVENTS_PER_STEP)) {
    progress.at(simulation.now);
    page?.step();
    await setImmediate();
  }
  progress.over(simulation.now);
}

/** About how many requests the clients of a topology will make: enough to choose by. */
export function expectedRequests({ hops, duration, startTimeOfDay }: Topology): number {
  let sum = 0;
  for (const hop of hops) {
    if (hop.kind !== 'clients') continue;
    const { workload } = hop;
    if (workload.kind === 'open') {
      sum += shapeIntegral(workload.rate, 0, duration, startTimeOfDay);
    } else {
      const awake = shapeIntegral(workload.awake, 0, duration, startTimeOfDay) * 1e6;
      sum += (hop.count * awake) / Math.max(meanOf(workload.thinkTime), 10_000);
    }
  }
  return sum;
}
