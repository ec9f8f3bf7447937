/**
 * A property of every machine that keeps many instances of a policy in rows: each of them hears
 * and decides as the policy alone would, with a table of its own. Connections are opened by any
 * of the instances, and by another once they are gone, when late inputs may still come; the
 * settings change in between; the table grows, and no word of others in it is touched.
 */
import fc from 'fast-check';
import { expect } from 'vitest';
import type { PolicyClass } from './contract.ts';
import { Rows } from './rows.ts';

const INSTANCES = 3;
/** Words of a row, and which of them are the machine's. */
const ROW = 32;
const COLUMN = 6;
/** What is in the others. */
const FOREIGN = 7;

export interface ManyInOne<Settings> {
  /** Its inputs are those of the machine, which are told the instance first; so are its outputs. */
  readonly policyClass: PolicyClass;
  /** The input that lets go of a connection. */
  readonly closed: string;
  readonly settings: fc.Arbitrary<Settings>;
  /** Of the machine in a row. */
  readonly words: number;
  many(port: object, connections: Rows, column: number): { add(settings: Settings): number };
  one(settings: Settings, port: object): object;
}

interface Step<Settings> {
  readonly input: string;
  readonly instance: number;
  readonly connection: number;
  readonly after: number;
  readonly settings: Settings;
}

export function checkManyInOne<Settings>(subject: ManyInOne<Settings>): void {
  const { policyClass, settings } = subject;
  const given = fc.array(settings, { minLength: INSTANCES, maxLength: INSTANCES });
  const heard = new Set<string>();
  fc.assert(
    fc.property(given, stepsOf(subject), (instances, steps) => {
      const both = new Both(subject, instances);
      for (const step of steps) both.run(step);
      both.checkForeign();
      for (const output of both.outputs) heard.add(output);
    }),
    { numRuns: 150 },
  );
  // Nothing was compared of what was never decided.
  expect([...heard].sort()).toEqual([...policyClass.outputs].sort());
}

function stepsOf<Settings>(subject: ManyInOne<Settings>): fc.Arbitrary<Step<Settings>[]> {
  const { policyClass, closed, settings } = subject;
  const inputs = policyClass.inputs.filter((input) => input !== 'wake');
  const rare = ['configure', 'closeIdle', closed];
  const often = inputs.filter((input) => !rare.includes(input));
  const step = fc.record({
    input: fc.oneof(
      { weight: 9, arbitrary: fc.constantFrom('opened', ...often) },
      { weight: 1, arbitrary: fc.constantFrom(...inputs) },
    ),
    instance: fc.nat(INSTANCES - 1),
    // With gaps: the last ones are beyond the rows that a table has from the start.
    connection: fc.nat(11).map((number) => number * 3),
    after: fc.oneof(fc.constant(0), fc.nat(30)),
    settings,
  });
  return fc.array(step, { minLength: 20, maxLength: 150 });
}

/** The machine beside the policies alone. Wake-ups come when the machine has asked for them. */
class Both<Settings> {
  /** All that were heard. */
  readonly outputs = new Set<string>();
  readonly #subject: ManyInOne<Settings>;
  readonly #rows = new Rows(ROW);
  readonly #rowsAtFirst: number = 0;
  readonly #many: object;
  readonly #alone: object[];
  readonly #decided: string[] = [];
  readonly #expected: string[] = [];
  readonly #wakeAt = Array.from({ length: INSTANCES }, () => Number.POSITIVE_INFINITY);
  /** Of open connections. */
  readonly #instances = new Map<number, number>();
  #now = 0;

  constructor(subject: ManyInOne<Settings>, instances: readonly Settings[]) {
    this.#subject = subject;
    const { ints } = this.#rows;
    this.#rowsAtFirst = ints.length / ROW;
    for (const at of ints.keys()) ints[at] = this.#isOwn(at) ? 0 : FOREIGN;
    const many = subject.many(
      this.#port((output, words) => this.#hear(output, words)),
      this.#rows,
      COLUMN,
    );
    expect(instances.map((settings) => many.add(settings))).toEqual([...instances.keys()]);
    this.#many = many;
    this.#alone = instances.map((settings, instance) => {
      const port = this.#port((output, words) =>
        this.#expected.push(`${output} ${[instance, ...words]}`),
      );
      return subject.one(settings, port);
    });
  }

  run({ input, instance, connection, after, settings }: Step<Settings>): void {
    const end = this.#now + after;
    for (let at = Math.min(...this.#wakeAt); at <= end; at = Math.min(...this.#wakeAt)) {
      this.#now = Math.max(this.#now, at);
      const due = this.#wakeAt.indexOf(at);
      this.#wakeAt[due] = Number.POSITIVE_INFINITY;
      this.#tell(due, 'wake');
    }
    this.#now = end;
    const opener = this.#instances.get(connection);
    if (input === 'configure') this.#tell(instance, input, settings);
    else if (input !== 'opened') {
      if (input === this.#subject.closed) this.#instances.delete(connection);
      this.#tell(opener ?? instance, input, connection);
    } else if (opener === undefined) {
      this.#instances.set(connection, instance);
      this.#tell(instance, input, connection);
    }
  }

  checkForeign(): void {
    const { ints } = this.#rows;
    const then = (at: number): number => (at < this.#rowsAtFirst * ROW ? FOREIGN : 0);
    const touched = ints.findIndex((word, at) => !this.#isOwn(at) && word !== then(at));
    expect(touched).toBe(-1);
  }

  #tell(instance: number, input: string, ...words: unknown[]): void {
    const alone = this.#alone[instance] ?? {};
    call(this.#many, input, instance, this.#now, ...words);
    call(alone, input, this.#now, ...words);
    const snapshot = call(this.#many, 'snapshot', instance);
    expect([this.#decided.splice(0), snapshot]).toEqual([
      this.#expected.splice(0),
      call(alone, 'snapshot'),
    ]);
  }

  #hear(output: string, words: readonly number[]): void {
    this.outputs.add(output);
    this.#decided.push(`${output} ${words}`);
    const [instance = -1, at = 0] = words;
    if (output === 'wakeAt') this.#wakeAt[instance] = at;
  }

  #port(listener: (output: string, words: readonly number[]) => void): object {
    const { outputs } = this.#subject.policyClass;
    return Object.fromEntries(
      outputs.map((output) => [output, (...words: number[]) => listener(output, words)]),
    );
  }

  #isOwn(at: number): boolean {
    const column = at % ROW;
    return column >= COLUMN && column < COLUMN + this.#subject.words;
  }
}

function call(subject: object, method: string, ...words: unknown[]): unknown {
  return Reflect.apply(Reflect.get(subject, method), subject, words);
}
