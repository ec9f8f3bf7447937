/**
 * Replaying a policy log (recorder.ts): a fresh policy is made from its class and the recorded
 * settings, is given the recorded inputs in order, and every output is compared, argument by
 * argument, with the recorded one. Random draws are answered with the recorded values.
 *
 * Policies are replayed side by side, each in the order of its own inputs: they share nothing, so
 * the order between them does not matter. The log must be whole: one cut off in the middle of
 * what an input caused ends in a difference. Budget: memory for the log and, per instance, for
 * the outputs of one input.
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
}

interface Entry {
  readonly instance: number;
  readonly method: number;
  readonly values: number[];
}

function* entries(log: Float64Array): Generator<Entry> {
  for (let at = 0; at + 2 < log.length; ) {
    const count = log[at + 2] ?? 0;
    yield {
      instance: log[at] ?? 0,
      method: log[at + 1] ?? 0,
      values: Array.from(log.subarray(at + 3, at + 3 + count)),
    };
    at += 3 + count;
  }
}

interface Step {
  readonly input: Entry;
  readonly outputs: Entry[];
}

/** Groups a log into inputs with the outputs that followed each of them, per policy. */
function* steps(log: Float64Array): Generator<Step> {
  const open = new Map<number, Step>();
  for (const entry of entries(log)) {
    const present = open.get(entry.instance);
    if (entry.method >= OUTPUT) {
      present?.outputs.push(entry);
      continue;
    }
    if (present !== undefined) yield present;
    open.set(entry.instance, { input: entry, outputs: [] });
  }
  yield* open.values();
}

/** Replays a log; its header says what it is about. Throws for a policy that is not known. */
export function replayPolicies(log: Float64Array, policies: readonly LoggedPolicy[]): ReplayResult {
  const replayed = policies.map((logged) => new Replayed(logged, policyNamed(logged.policy)));
  let inputs = 0;
  let decisions = 0;
  for (const { input, outputs } of steps(log)) {
    const one = replayed[input.instance];
    if (one === undefined) throw new Error(`the log names an unknown policy ${input.instance}`);
    inputs += 1;
    const { policyClass, logged } = one;
    const drawMethod = OUTPUT + policyClass.outputs.indexOf('draw');
    one.draws = outputs
      .filter((output) => output.method === drawMethod)
      .map((output) => output.values.at(-1) ?? Number.NaN);
    one.outputs.length = 0;
    const name = policyClass.inputs[input.method] ?? '';
    const values: unknown[] = [...input.values];
    if (name === 'configure') values[1] = logged.settings[input.values[1] ?? 0];
    methodOf(one.policy, name)(...values);
    const compared = Math.max(outputs.length, one.outputs.length);
    for (let i = 0; i < compared; i++) {
      const recorded = outputs[i];
      const again = one.outputs[i];
      if (!isSame(recorded, again)) {
        const firstDifference = {
          instance: input.instance,
          name: logged.name,
          input: inputs,
          decision: decisions,
          recorded: describe(recorded, policyClass),
          replayed: describe(again, policyClass),
        };
        return { policies: policies.length, inputs, decisions, firstDifference };
      }
      decisions += 1;
    }
  }
  return { policies: policies.length, inputs, decisions, firstDifference: null };
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
