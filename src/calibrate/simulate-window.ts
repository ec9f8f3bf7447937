/** Lives through one window and says what it showed. */
import type { SecondRow } from '../measure/rows.ts';
import type { Topology } from '../model/topology.ts';
import type { Micros } from '../model/units.ts';
import { MICROS_PER_SECOND } from '../model/units.ts';
import { Simulation } from '../sim/simulation.ts';
import { type Problem, parseTopology, topologyHash } from '../topology/index.ts';
import { measuresOf, type WindowValues, windowValues } from './window-values.ts';

/** All that a process needs to know; it crosses to another one as JSON. */
export interface Task {
  readonly document: string;
  readonly file: string;
  readonly set: readonly string[];
  readonly scale: number;
  readonly seed: number;
  readonly from: Micros;
  readonly lasts: Micros;
  readonly measures: readonly string[];
}

export type TaskResult =
  | { readonly values: WindowValues; readonly requests: number }
  | { readonly problems: readonly Problem[] };

/** Longer windows have rows of a minute. */
const ROW_A_SECOND_MAX: Micros = 2 * 3_600 * MICROS_PER_SECOND;
/** Hops and links are the same, however small. */
const SCALE_OF_A_GLANCE = 0.05;
const EVENTS_PER_STEP = 1_000_000;

export function parseTask({ document, file, set, scale, from, lasts }: Task) {
  const micros = from + lasts;
  return parseTopology(document, file, {
    set: [...set, `duration=${Math.round(micros / 1_000)}ms`],
    scale,
    timeScale: 1,
  });
}

/** The measures that a run of the document has: a second of it, small, is lived through. */
export function knownMeasures(task: Task): ReadonlySet<string> {
  const parsed = parseTask({
    ...task,
    scale: SCALE_OF_A_GLANCE,
    from: 0,
    lasts: MICROS_PER_SECOND,
  });
  if ('problems' in parsed) return new Set();
  const { topology } = parsed;
  const simulation = lived(topology, task.seed, 1);
  return measuresOf({ topology, plan: simulation.plan }, [...simulation.rows()]);
}

export function simulateWindow(task: Task): TaskResult {
  const parsed = parseTask(task);
  if ('problems' in parsed) return parsed;
  const { topology } = parsed;
  const secondsPerRow = topology.duration > ROW_A_SECOND_MAX ? 60 : 1;
  const simulation = lived(topology, task.seed, secondsPerRow);
  const { clients } = simulation.measured();
  const rows = shifted(simulation.rows(), Math.round(task.from / MICROS_PER_SECOND));
  const info = { topology, plan: simulation.plan, secondsPerRow };
  return {
    values: windowValues(info, rows, task.measures, sizeOf(task, topology)),
    requests: clients.reduce((sum, { requests }) => sum + requests.sent, 0),
  };
}

function lived(topology: Topology, seed: number, secondsPerRow: number): Simulation {
  const simulation = new Simulation({
    topology,
    topologyHash: topologyHash(topology),
    version: '',
    seed,
    recorder: null,
    onSecond: () => {},
    ...(secondsPerRow > 1 ? { secondsPerRow } : {}),
  });
  while (!simulation.step(EVENTS_PER_STEP));
  simulation.finish();
  return simulation;
}

/** Loads follow the ratio of hosts that comes out of a scale (topology/scale.ts). */
function sizeOf(task: Task, scaled: Topology): number {
  const whole = parseTask({ ...task, scale: 1 });
  if (task.scale === 1 || 'problems' in whole) return 1;
  return hostsOf(scaled) / hostsOf(whole.topology);
}

function hostsOf({ hosts }: Topology): number {
  return hosts.reduce((sum, { count }) => sum + count, 0) || 1;
}

function* shifted(rows: Iterable<SecondRow>, seconds: number): Generator<SecondRow> {
  for (const row of rows) {
    if (row.second >= seconds) yield { ...row, second: row.second - seconds };
  }
}
