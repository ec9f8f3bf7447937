import { describe, expect, it } from 'vitest';
import { Clock } from '../runtime/clock.ts';
import { until } from '../test-support.ts';
import { Deadline, Deadlines } from './deadlines.ts';

class Noted extends Deadline {
  readonly #name: string;
  readonly #log: string[];

  constructor(name: string, log: string[]) {
    super();
    this.#name = name;
    this.#log = log;
  }

  expired(): void {
    this.#log.push(this.#name);
  }
}

describe('deadlines', () => {
  it('expire in the order they were set, never early; cleared ones do not', async () => {
    const clock = new Clock();
    const deadlines = new Deadlines(clock, 30_000);
    const log: string[] = [];
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => new Noted(name, log));
    if (a === undefined || b === undefined || c === undefined || d === undefined) return;
    const start = clock.now();
    for (const one of [a, b, c]) deadlines.set(one);
    b.clear();
    b.clear();
    deadlines.set(a);
    deadlines.set(d);
    d.clear();
    await until('both to expire', () => log.length === 2);
    expect(clock.now() - start).toBeGreaterThanOrEqual(30_000);
    expect(log).toEqual(['c', 'a']);
    deadlines.set(d);
    await until('the last', () => log.length === 3);
    deadlines.stop();
  });

  it('do not expire once the clock is frozen, nor with a delay of 0', async () => {
    const clock = new Clock();
    const log: string[] = [];
    const none = new Deadlines(clock, 0);
    none.set(new Noted('none', log));
    const soon = new Deadlines(clock, 5_000);
    soon.set(new Noted('frozen', log));
    clock.freeze();
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(log).toEqual([]);
  });
});
