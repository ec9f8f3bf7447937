/**
 * Recording policies: the first half of the proof that the code that decided in a live run is the
 * code that anybody can run offline.
 *
 * A policy log is a flat sequence of numbers, so that it costs little while recording:
 *
 *   instance, method, argument count, arguments...
 *
 * `method` counts the class's inputs from 0 and its outputs from OUTPUT. An output that returns
 * a value (`draw`) appends it as one more argument. The first argument of an input is `now`.
 * `configure` gets an index into the instance's list of settings, because settings are objects.
 * `replay.ts` plays such a log again. Entries of many instances lie in one log in the order in
 * which they happened; no entry is cut by the end of a chunk.
 *
 * Recording keeps the contract honest: an input that comes while another of the same policy has
 * not returned throws, since its outputs could not be told from the other's.
 */
import type { PolicyClass } from './contract.ts';

export const OUTPUT = 1_000;
const CHUNK = 8_192;

/** One policy of the log's header. */
export interface LoggedPolicy {
  readonly instance: number;
  readonly name: string;
  readonly policy: string;
  /** The first is the constructor's; the rest were given to `configure`, in order. */
  readonly settings: unknown[];
}

/** Takes full chunks of numbers as they are filled. */
export class PolicyRecorder {
  readonly policies: LoggedPolicy[] = [];
  readonly #full: (chunk: Float64Array) => void;
  #chunk = new Float64Array(CHUNK);
  #length = 0;

  constructor(full: (chunk: Float64Array) => void) {
    this.#full = full;
  }

  /** A new policy of the log: `policy` is the name of its class, `settings` its constructor's. */
  add(name: string, policy: string, settings: unknown): LoggedPolicy {
    const logged = { instance: this.policies.length, name, policy, settings: [settings] };
    this.policies.push(logged);
    return logged;
  }

  /** Appends one entry; it takes at most CHUNK - 3 values. */
  write(instance: number, method: number, values: readonly number[]): void {
    if (this.#length + values.length + 3 > CHUNK) this.flush();
    this.#put(instance);
    this.#put(method);
    this.#put(values.length);
    for (const value of values) this.#put(value);
  }

  /** Hands on what is there. */
  flush(): void {
    if (this.#length === 0) return;
    this.#full(this.#chunk.subarray(0, this.#length));
    this.#chunk = new Float64Array(CHUNK);
    this.#length = 0;
  }

  #put(value: number): void {
    this.#chunk[this.#length] = value;
    this.#length += 1;
  }
}

export type Method = (...values: unknown[]) => unknown;

export function methodOf(holder: object, name: string): Method {
  const method: unknown = Reflect.get(holder, name);
  if (typeof method !== 'function') throw new Error(`no method ${name}`);
  return (...values) => Reflect.apply(method, holder, values);
}

/** A port that passes every call on and writes it down. */
export function recordingPort<Port extends object>(
  port: Port,
  policyClass: PolicyClass,
  recorder: PolicyRecorder,
  instance: number,
): Port {
  const recording: Record<string, Method> = {};
  policyClass.outputs.forEach((name, index) => {
    const pass = methodOf(port, name);
    recording[name] = (...values) => {
      const result = pass(...values);
      const numbers = values.filter((value) => typeof value === 'number');
      if (typeof result === 'number') numbers.push(result);
      recorder.write(instance, OUTPUT + index, numbers);
      return result;
    };
  });
  return { ...port, ...recording };
}

/** Replaces the policy's inputs by ones that write themselves down first. */
export function recordInputs<Policy extends object>(
  policy: Policy,
  policyClass: PolicyClass,
  recorder: PolicyRecorder,
  logged: LoggedPolicy,
): Policy {
  let running: string | null = null;
  policyClass.inputs.forEach((name, index) => {
    const pass = methodOf(policy, name);
    const record: Method = (...values) => {
      if (running !== null) {
        throw new Error(`${logged.name}: ${name} was called while ${running} had not returned`);
      }
      const numbers = values.map((value) => {
        if (typeof value === 'number') return value;
        return logged.settings.push(value) - 1;
      });
      recorder.write(logged.instance, index, numbers);
      running = name;
      try {
        return pass(...values);
      } finally {
        running = null;
      }
    };
    Object.defineProperty(policy, name, { value: record });
  });
  return policy;
}
