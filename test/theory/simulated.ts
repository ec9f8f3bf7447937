/**
 * What the tests of closed forms share: topology documents lived through, what became of every
 * request, and bounds of confidence from independent replications.
 *
 * A bound is Student's t at 99.9 % over the replications' means, so a right simulator fails one
 * check in a thousand, once: seeds are fixed. No check allows a percentage of its own choosing.
 */
import { expect } from 'vitest';
import { EventKind } from '../../src/model/event.ts';
import { type Recorder, Simulation, type SimulationOptions } from '../../src/sim/index.ts';
import { parseTopology } from '../../src/topology/index.ts';

/** More than any document has; their product with the instances is below 2^53. */
const CLIENTS_MAX = 2 ** 20;
const REQUESTS_MAX = 2 ** 24;

export interface Request {
  /** µs. */
  readonly sentAt: number;
  readonly doneAt: number;
  /** Status of the answer, or minus the code of the failure. */
  readonly outcome: number;
}

export interface Lived {
  /** Those that were sent after the warm-up and whose fate is known. */
  readonly requests: readonly Request[];
  readonly simulation: Simulation;
}

export interface Plan {
  readonly yaml: string;
  readonly seed: number;
  /** Seconds before requests count. */
  readonly warmUp?: number;
  readonly listen?: Recorder['write'];
  readonly begun?: (simulation: Simulation) => void;
}

/** Lives through a document, measuring; a document that is wrong fails the test. */
export function live(plan: Plan): Lived {
  return livedThrough(plan, { onSecond: () => {} });
}

/** The same, for whom requests are enough: without measures it costs a quarter less. */
export function requestsOf(plan: Plan): readonly Request[] {
  return livedThrough(plan, {}).requests;
}

function livedThrough(
  { yaml, seed, warmUp = 0, listen, begun }: Plan,
  measures: Pick<SimulationOptions, 'onSecond'>,
): Lived {
  const parsed = parseTopology(yaml, 'theory.yaml', { set: [], scale: 1, timeScale: 1 });
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems, null, 1));
  const sent = new Map<number, number>();
  const requests: Request[] = [];
  const recorder: Recorder = {
    write(at, kind, instance, end, exchange, a, b, c) {
      listen?.(at, kind, instance, end, exchange, a, b, c);
      if (kind !== EventKind.requestSent && kind !== EventKind.requestDone) return;
      // A number: to make names of strings costs as much as the simulation.
      const key = (instance * CLIENTS_MAX + a) * REQUESTS_MAX + b;
      if (kind === EventKind.requestSent) {
        sent.set(key, c);
        return;
      }
      const sentAt = sent.get(key) ?? Number.NaN;
      sent.delete(key);
      if (sentAt >= warmUp * 1e6) requests.push({ sentAt, doneAt: at, outcome: c });
    },
  };
  const simulation = new Simulation({
    topology: parsed.topology,
    topologyHash: '',
    version: '',
    seed,
    recorder,
    ...measures,
  });
  begun?.(simulation);
  while (!simulation.step(1_000_000));
  simulation.finish();
  return { requests, simulation };
}

export const isOk = ({ outcome }: Request): boolean => outcome >= 200 && outcome < 400;
/** Seconds. */
export const sojourn = ({ sentAt, doneAt }: Request): number => (doneAt - sentAt) / 1e6;

export function mean(values: readonly number[]): number {
  return values.reduce((sum, one) => sum + one, 0) / values.length;
}

export function share<T>(values: readonly T[], wanted: (one: T) => boolean): number {
  return values.filter(wanted).length / values.length;
}

/** Two-sided 99.9 % quantiles of Student's t, by degrees of freedom (tables of 1908 and since). */
const STUDENT: Readonly<Record<number, number>> = { 7: 5.408, 9: 4.781, 11: 4.437, 15: 4.073 };
export const REPLICATIONS = 10;

/** Runs the replications and returns what `measure` says of each. */
export function replicate<T>(measure: (seed: number) => T): T[] {
  return Array.from({ length: REPLICATIONS }, (_, index) => measure(index + 1));
}

/** The closed form lies within the bounds of confidence of the replications' mean. */
export function expectAgreement(values: readonly number[], closedForm: number, what: string): void {
  const centre = mean(values);
  const variance =
    values.reduce((sum, one) => sum + (one - centre) * (one - centre), 0) / (values.length - 1);
  const quantile = STUDENT[values.length - 1];
  if (quantile === undefined) throw new Error(`no quantile for ${values.length} replications`);
  const bound = quantile * Math.sqrt(variance / values.length);
  const text = `${what}: simulated ${centre} +- ${bound}, closed form ${closedForm}`;
  expect(bound, `${text}: the bound tells nothing`).toBeLessThan(Math.abs(closedForm) * 0.2);
  expect(Math.abs(centre - closedForm), text).toBeLessThanOrEqual(bound);
}

export interface Chain {
  readonly seconds: number;
  /** Arrivals per second. */
  readonly rate: number;
  /** The hops behind the clients, a line of YAML each. */
  readonly hops: readonly string[];
  readonly clients?: string;
}

/** Open Poisson arrivals of many clients, which nothing holds up: each has all it wants. */
export function chain({ seconds, rate, hops, clients = '' }: Chain): string {
  return [
    'name: theory',
    `duration: ${seconds}s`,
    'hops:',
    '  - name: clients',
    '    kind: clients',
    '    count: 1000',
    '    pool: { connectionsMax: 0 }',
    '    timeout: 0s',
    `    workload: { kind: open, rate: ${rate}/s, arrivals: poisson }`,
    ...(clients === '' ? [] : [`    ${clients}`]),
    ...hops.map((hop) => `  - ${hop}`),
    '',
  ].join('\n');
}
