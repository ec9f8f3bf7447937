/**
 * Replaying a policy log (recorder.ts): a fresh policy is made from its class and the recorded
 * settings, is given the recorded inputs in order, and every output is compared, argument by
 * argument, with the recorded one. Random draws are answered with the recorded values.
 *
 * Policies are replayed side by side, each in the order of its own inputs: they share nothing, so
 * the order between them does not matter. The log must be whole: one cut off in the middle of
 * what an input caused ends in a difference, and so does an input that is missing, as far as
 * anything followed from it: its decisions are nobody's then, or the policy refuses what comes
 * next (it throws), or decides otherwise. One that nothing ever followed from is not missed.
 * Budget: memory for the log and, per instance, for the outputs of one input.
 */
import { policyNamed, type ReplayablePolicy } from './catalog.ts';
import type { PolicyClass } from './contract.ts';
import { type LoggedPolicy, type Method, methodOf, OUTPUT } from './recorder.ts';

export interface ReplayDifference {
  readonly instance: number;
  readonly name: string;
  /** How many inputs have been replayed, the one that differs included. */
  readonly input: number;
  /** How many decisions were the same before. */
  readonly decision: number;
  readonly recorded: string;
  readonly replayed: string;
}

export interface ReplayResult {
  readonly policies: number;
  readonly inputs: number;
  readonly decisions: number;
  readonly firstDifference: ReplayDifference | null;
}

class Replayed {
  readonly logged: LoggedPolicy;
  readonly policy: object;
  readonly policyClass: ReplayablePolicy;
  /** Outputs of the input that was replayed last, in order. */
  readonly outputs: { method: number; values: number[] }[] = [];
  /** Values that the recorded run drew during the present input. */
  draws: number[] = [];

  constructor(logged: LoggedPolicy, policyClass: ReplayablePolicy) {
    this.logged = logged;
    const port: Record<string, Method> = {};
    policyClass.outputs.forEach((name, index) => {
      port[name] = (...values) => {
        const numbers = values.filter((value) => typeof value === 'number');
        const drawn = name === 'draw' ? (this.draws.shift() ?? Number.NaN) : undefined;
        if (drawn !== undefined) numbers.push(drawn);
        this.outputs.push({ method: OUTPUT + index, values: numbers });
        return drawn;
      };
    });
    this.policy = policyClass.make(logged.settings[0], port);
    this.policyClass = policyClass;
  }

  /** Gives the policy a step's input; what it threw in words, or null. */
  run({ input, outputs }: Step): string | null {
    this.outputs.length = 0;
    if (input === null) return null;
    const { policyClass, logged } = this;
    const drawMethod = OUTPUT + policyClass.outputs.indexOf('draw');
    this.draws = outputs
      .filter((output) => output.method === drawMethod)
      .map((output) => output.values.at(-1) ?? Number.NaN);
    const name = policyClass.inputs[input.method] ?? '';
    const values: unknown[] = [...input.values];
    if (name === 'configure') values[1] = logged.settings[input.values[1] ?? 0];
    const method = methodOf(this.policy, name);
    try {
      method(...values);
    } catch (thrown) {
      return `an error in ${name}: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
    }
    return null;
  }
}

interface Entry {
  readonly instance: number;
  readonly method: number;
  readonly values: number[];
}

function* entries(log: Float64Array): Generator<Entry> {
  for (let at = 0; at < log.length; ) {
    const count = log[at + 2] ?? Number.NaN;
    const isWhole = Number.isInteger(count) && count >= 0 && at + 3 + count <= log.length;
    if (!isWhole) throw new Error(`the log has no whole entry at number ${at}`);
    yield {
      instance: log[at] ?? 0,
      method: log[at + 1] ?? 0,
      values: Array.from(log.subarray(at + 3, at + 3 + count)),
    };
    at += 3 + count;
  }
}

interface Step {
  readonly instance: number;
  /** null: decisions of a policy that had been told nothing. */
  readonly input: Entry | null;
  readonly outputs: Entry[];
}

/** Groups a log into inputs with the outputs that followed each of them, per policy. */
function* steps(log: Float64Array): Generator<Step> {
  const open = new Map<number, Step>();
  for (const entry of entries(log)) {
    const { instance } = entry;
    const present = open.get(instance);
    if (entry.method < OUTPUT) {
      if (present !== undefined) yield present;
      open.set(instance, { instance, input: entry, outputs: [] });
    } else if (present !== undefined) present.outputs.push(entry);
    else open.set(instance, { instance, input: null, outputs: [entry] });
  }
  yield* open.values();
}

/** Replays a log; its header says what it is about. Throws for a policy that is not known. */
export function replayPolicies(log: Float64Array, policies: readonly LoggedPolicy[]): ReplayResult {
  const replayed = policies.map((logged) => new Replayed(logged, policyNamed(logged.policy)));
  let inputs = 0;
  let decisions = 0;
  for (const step of steps(log)) {
    const one = replayed[step.instance];
    if (one === undefined) throw new Error(`the log names an unknown policy ${step.instance}`);
    if (step.input !== null) inputs += 1;
    const refusal = one.run(step);
    const { same, recorded, again } = compare(step.outputs, one.outputs);
    decisions += same;
    if (recorded === undefined && again === undefined && refusal === null) continue;
    const { policyClass, logged } = one;
    const firstDifference = {
      instance: step.instance,
      name: logged.name,
      input: inputs,
      decision: decisions,
      recorded: describe(recorded, policyClass),
      replayed: again === undefined && refusal !== null ? refusal : describe(again, policyClass),
    };
    return { policies: policies.length, inputs, decisions, firstDifference };
  }
  return { policies: policies.length, inputs, decisions, firstDifference: null };
}

interface Comparison {
  /** How many are the same before the first that is not. */
  readonly same: number;
  /** The first pair that differs; both undefined = none does. */
  readonly recorded: Output | undefined;
  readonly again: Output | undefined;
}

function compare(recorded: readonly Output[], again: readonly Output[]): Comparison {
  let same = 0;
  while (same < recorded.length && isSame(recorded[same], again[same])) same += 1;
  return { same, recorded: recorded[same], again: again[same] };
}

interface Output {
  readonly method: number;
  readonly values: readonly number[];
}

function isSame(one: Output | undefined, other: Output | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  if (one.method !== other.method || one.values.length !== other.values.length) return false;
  return one.values.every((value, index) => Object.is(value, other.values[index]));
}

function describe(output: Output | undefined, policyClass: PolicyClass): string {
  if (output === undefined) return 'nothing';
  return `${policyClass.outputs[output.method - OUTPUT]}(${output.values.join(', ')})`;
}
