/**
 * `waterhammer explain`: what closed forms say of a topology, each with its formula, its source
 * and the numbers put into it, and how far the simulator is from it.
 */
import type { Answer } from '../explain/answer.ts';
import type { Compared } from '../explain/compare.ts';
import { explain as closedForms } from '../explain/explain.ts';
import { topologyHash } from '../topology/hash.ts';
import { ExitCode } from './exit-code.ts';
import { type ExplainPlan, planOf, simulateAnswers } from './explain-runs.ts';
import { explainText } from './explain-text.ts';
import { onInterrupt } from './interruption.ts';
import { INCIDENT, loadTopology } from './load-topology.ts';
import { version } from './version.ts';

export interface ExplainOptions {
  readonly set: readonly string[];
  readonly scale: number;
  readonly timeScale: number;
  readonly seeds: number;
  readonly duration?: string;
  /** False with --no-simulate. */
  readonly simulate: boolean;
  readonly json?: boolean;
}

/** `file` null = the incident, as it comes with the package. */
export async function explain(file: string | null, options: ExplainOptions): Promise<number> {
  const topology = await loadTopology(file ?? INCIDENT, options, false);
  if (topology === null) return ExitCode.badInput;
  const answers = closedForms(topology);
  const plan = options.simulate
    ? planOf(topology, answers, { seeds: options.seeds, asked: options.duration !== undefined })
    : null;
  const interruption = onInterrupt();
  try {
    const compared =
      plan === null
        ? answers.map(withoutSimulation)
        : await simulateAnswers(topology, answers, plan, interruption.signal);
    const about = { name: topology.name, hash: topologyHash(topology) };
    process.stdout.write(
      options.json === true ? json(about, compared, plan) : explainText(about, compared, plan),
    );
    return interruption.signal.aborted ? ExitCode.interrupted : ExitCode.done;
  } finally {
    interruption.stop();
  }
}

function withoutSimulation(answer: Answer): Compared {
  return { ...answer, simulated: null };
}

function json(
  topology: { readonly name: string; readonly hash: string },
  answers: readonly Compared[],
  plan: ExplainPlan | null,
): string {
  const simulation =
    plan === null
      ? null
      : {
          seeds: plan.seeds,
          warmUpSeconds: plan.window.from,
          windowSeconds: plan.window.to - plan.window.from,
          remark: plan.remark,
        };
  return `${JSON.stringify({ version, topology, simulation, answers }, withoutInfinity, 2)}\n`;
}

/** JSON has no Infinity: as an input of a formula it stands for "without limit", which is null. */
function withoutInfinity(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? null : value;
}
