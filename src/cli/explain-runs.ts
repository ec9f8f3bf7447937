/**
 * The simulations that `explain` compares with: the steady state under several seeds, and for a
 * queue the same with a stall that could take all of its slots.
 */
import { setImmediate } from 'node:timers/promises';
import type { Answer } from '../explain/answer.ts';
import { against, type Compared, compare, cycleOf, type StallRun } from '../explain/compare.ts';
import type { Window } from '../explain/simulated.ts';
import { afterStall, type Measured, measured } from '../explain/simulated.ts';
import { steadyTopology } from '../explain/steady.ts';
import type { SecondRow } from '../measure/rows.ts';
import type { TimelineEntry, Topology } from '../model/topology.ts';
import { MICROS_PER_SECOND } from '../model/units.ts';
import { Simulation } from '../sim/simulation.ts';
import { SimulationProgress } from './simulation-progress.ts';
import { version } from './version.ts';

export interface ExplainPlan {
  readonly seeds: number;
  readonly window: Window;
  /** What the window is too short for; null where it is not. */
  readonly remark: string | null;
}

/** Requests of all runs together, unless a duration is asked for. */
const REQUESTS_MAX = 1_000_000;
const WINDOW_MIN = 20;
const WARM_UP_MIN = 10;
const WINDOW_MAX = 600;
/** Connections live this many of their lives before they are looked at. */
const LIVES = 4;
const EVENTS_PER_STEP = 20_000;

export function planOf(
  topology: Topology,
  answers: readonly Answer[],
  { seeds, asked }: { readonly seeds: number; readonly asked: boolean },
): ExplainPlan {
  const lives = numbers(answers, 'connectionLifeSeconds');
  const slow = Math.max(0, ...lives.filter((life) => life < WINDOW_MAX));
  const wanted = Math.min(WINDOW_MAX, Math.max(60, Math.ceil(LIVES * slow)));
  const rate = numbers(answers, 'requestsPerSecond').reduce((sum, one) => sum + one, 0);
  const affordable = Math.floor(REQUESTS_MAX / seeds / Math.max(rate, 1) / 2);
  const seconds = asked
    ? Math.max(1, Math.ceil(topology.duration / MICROS_PER_SECOND))
    : Math.max(WINDOW_MIN, Math.min(wanted, affordable));
  const from = Math.max(WARM_UP_MIN, asked ? Math.min(seconds, wanted) : seconds);
  const remark =
    from < LIVES * slow || seconds < slow
      ? `connections live up to ${slow.toFixed(0)} s: what is slow is not yet steady after ` +
        `${from} s; --duration gives longer runs, --scale smaller ones`
      : null;
  return { seeds, window: { from, to: from + seconds }, remark };
}

function numbers(answers: readonly Answer[], quantity: Answer['quantity']): number[] {
  return answers
    .filter((one) => one.quantity === quantity)
    .map(({ value }) => value)
    .filter((value) => typeof value === 'number');
}

export async function simulateAnswers(
  topology: Topology,
  answers: readonly Answer[],
  plan: ExplainPlan,
  signal: AbortSignal,
): Promise<Compared[]> {
  const { seeds, window } = plan;
  const runs: Measured[] = [];
  const duration = window.to * MICROS_PER_SECOND;
  for (let seed = 1; seed <= seeds && !signal.aborted; seed++) {
    const title = `${topology.name}, seed ${seed} of ${seeds}`;
    const rows = await series(steadyTopology(topology, duration), { seed, title, signal });
    if (rows !== null) runs.push(measured(topology, rows, window));
  }
  const stalls = new Map<string, readonly StallRun[]>();
  for (const answer of answers) {
    if (answer.quantity !== 'stallThatFillsSlotsSeconds' || signal.aborted) continue;
    stalls.set(answer.at, await stallRuns(topology, answers, answer, plan, signal));
  }
  const seconds = window.to - window.from;
  const cycle = cycleOf(topology, answers);
  const slotsOf = (at: string): number =>
    Number(answers.find((one) => one.at === at && one.quantity === 'slots')?.value);
  return answers.map((answer): Compared => {
    const after = stalls.get(answer.at) ?? [];
    if (answer.quantity === 'stallThatFillsSlotsSeconds') {
      const filled = after.map(({ filledAfter }) => filledAfter).filter((one) => one !== null);
      if (filled.length > 0) return { ...answer, simulated: against(answer, filled) };
    }
    if (answer.quantity === 'stuckStateExists' && after.length > 0) {
      return { ...answer, simulated: null, stalls: after };
    }
    // Where all are taken nobody sees how many more would be.
    const isFull = answer.quantity === 'slotsNeeded' && Number(answer.value) >= slotsOf(answer.at);
    if (isFull) return { ...answer, simulated: null };
    const opened = answers.find(
      (one) => one.at === answer.at && one.quantity === 'newConnectionsPerSecond',
    )?.value;
    const known = typeof opened === 'number' ? opened : null;
    return compare(answer, { runs, seconds, opened: known, cycle });
  });
}

/** How long after a stall one looks whether requests wait still. */
const RECOVERY = 90;
/** Stalls that are tried, beside one that takes all slots. */
const LADDER = [10, 30];
const STALL_SEEDS = 2;

async function stallRuns(
  topology: Topology,
  answers: readonly Answer[],
  { at: queue, value }: Answer,
  { window }: ExplainPlan,
  signal: AbortSignal,
): Promise<StallRun[]> {
  const target =
    topology.hops.find(({ kind }) => kind === 'database') ??
    topology.hops.find(({ kind }) => kind === 'app');
  const slots = answers.find((one) => one.at === queue && one.quantity === 'slots')?.value;
  if (typeof value !== 'number' || typeof slots !== 'number' || target === undefined) return [];
  const at = Math.min(window.from, STALL_AFTER);
  const rate = numbers(answers, 'requestsPerSecond').reduce((sum, one) => sum + one, 0);
  const least = Math.ceil(2 * value + 2);
  const lengths = [least, ...LADDER.filter((one) => one > least)];
  const affordable = lengths.filter(
    (lasts, rung) => rung === 0 || rate * (at + lasts + RECOVERY) * STALL_SEEDS < REQUESTS_MAX / 2,
  );
  const results: StallRun[] = [];
  for (const lasts of affordable) {
    const end = at + lasts + RECOVERY;
    const stall: TimelineEntry = {
      ...{ at: at * MICROS_PER_SECOND, text: null, action: 'stall', hop: target.name },
      lasts: lasts * MICROS_PER_SECOND,
    };
    const steady = steadyTopology(topology, end * MICROS_PER_SECOND, [stall]);
    for (let seed = 1; seed <= STALL_SEEDS && !signal.aborted; seed++) {
      const title = `${topology.name}, stalled for ${lasts} s, seed ${seed} of ${STALL_SEEDS}`;
      const rows = await series(steady, { seed, title, signal });
      if (rows === null) continue;
      const after = afterStall(rows, { queue, slots, at, end });
      results.push({ hop: target.name, lasts, recovery: RECOVERY, seed, ...after });
    }
  }
  return results;
}

/** Enough for a steady flow; what lives longer matters little to a stall. */
const STALL_AFTER = 60;

interface RunOptions {
  readonly seed: number;
  readonly title: string;
  readonly signal: AbortSignal;
}

/** null when it was interrupted. */
async function series(
  topology: Topology,
  { seed, title, signal }: RunOptions,
): Promise<Iterable<SecondRow> | null> {
  const simulation = new Simulation({
    ...{ topology, topologyHash: '', version, seed, recorder: null },
    onSecond: () => {},
  });
  const progress = new SimulationProgress(process.stderr, title, simulation.end);
  while (!signal.aborted && !simulation.step(EVENTS_PER_STEP)) {
    progress.at(simulation.now);
    await setImmediate();
  }
  if (signal.aborted) return null;
  progress.over(simulation.now);
  simulation.finish();
  return simulation.rows();
}
