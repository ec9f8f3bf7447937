import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Pool, type PoolOptions, type PoolPort } from './pool.ts';
import { options, PoolWorld, type Step, steps } from './pool-world.case.ts';
import { Pools, type PoolsPort } from './pools.ts';
import { methodOf } from './recorder.ts';
import { Rows } from './rows.ts';

const POOLS = 3;
/** What others have noted in their columns. */
const THEIRS = 0x5a5a5a5a;

/** What a machine said of one pool since its input began. */
type Said = (string | number)[][];

/**
 * Every input that a separate pool hears, the pool of this number in the shared machine hears, too;
 * what they say must be the same. Numbers of connections differ: those of the shared machine are
 * the driver's, and whichever was given back last is taken by whoever asks next.
 */
class Shared implements PoolsPort {
  readonly #connections = new Rows(16);
  readonly #waiters = new Rows(8);
  readonly #machine = new Pools(this, this.#connections, 8, this.#waiters, 2);
  readonly #free: number[] = [];
  #numbers = 0;
  /** For each pool: its own number of a connection, and the shared one. */
  readonly #sharedOf: Map<number, number>[] = [];
  #expected: Said = [];
  #said: Said = [];

  /** A pool of its own whose every input is passed on to one more pool of the machine. */
  join(settings: PoolOptions, port: PoolPort): Pool {
    const pool = this.#machine.add(settings);
    this.#sharedOf.push(new Map());
    const alone = new Pool(settings, this.#listened(port));
    for (const name of Pool.inputs) {
      const passes = [methodOf(alone, name), methodOf(this.#machine, name)] as const;
      Object.defineProperty(alone, name, {
        value: (now: number, ...values: unknown[]) => {
          this.#expected = [];
          this.#said = [];
          passes[0](now, ...values);
          passes[1](pool, now, ...this.#translated(pool, name, values));
          expect(this.#said).toEqual(this.#expected);
          expect(this.#machine.snapshot(pool)).toEqual(alone.snapshot());
          expect(this.#machine.idle(pool)).toBe(alone.snapshot().idle);
        },
      });
    }
    return alone;
  }

  /** The columns of others are as they were set when their connection or waiter was new. */
  checkTheirs(): void {
    for (const connection of Array(this.#numbers).keys()) {
      const { ints } = this.#connections;
      expect(ints.subarray(connection * 16, connection * 16 + 8)).toEqual(words(8));
    }
    for (let at = 0; at < this.#waiters.ints.length; at += 8) {
      expect(this.#waiters.ints.subarray(at, at + 2)).toEqual(new Int32Array(2));
      expect(this.#waiters.ints.subarray(at + 6, at + 8)).toEqual(new Int32Array(2));
    }
  }

  // The port of the machine

  grant(pool: number, waiter: number, connection: number): void {
    expect(waiter % POOLS).toBe(pool);
    this.#said.push(['grant', Math.floor(waiter / POOLS), this.#ownOf(pool, connection)]);
  }

  open(pool: number): number {
    const number = this.#free.pop() ?? this.#numbers++;
    this.#connections.room(number);
    // As a driver has it whose connection was something else before.
    this.#connections.ints.set(words(8), number * 16);
    const [name, own] = this.#expected[this.#said.length] ?? [];
    expect(name).toBe('open');
    this.#sharedOf[pool]?.set(Number(own), number);
    this.#said.push(['open', Number(own)]);
    return number;
  }

  close(pool: number, connection: number, cause: number): void {
    this.#said.push(['close', this.#ownOf(pool, connection), cause]);
  }

  reject(pool: number, waiter: number, reason: number): void {
    expect(waiter % POOLS).toBe(pool);
    this.#said.push(['reject', Math.floor(waiter / POOLS), reason]);
  }

  wakeAt(_pool: number, at: number): void {
    this.#said.push(['wakeAt', at]);
  }

  draw(_pool: number, bound: number): number {
    const [name, , answer] = this.#expected[this.#said.length] ?? [];
    expect(name).toBe('draw');
    this.#said.push(['draw', bound, Number(answer)]);
    return Number(answer);
  }

  #listened(port: PoolPort): PoolPort {
    const note = (name: keyof PoolPort) => {
      const pass = methodOf(port, name);
      return (...values: number[]): void => {
        this.#expected.push([name, ...values]);
        pass(...values);
      };
    };
    const draw = (bound: number): number => {
      const answer = port.draw(bound);
      this.#expected.push(['draw', bound, answer]);
      return answer;
    };
    const [grant, open, close] = [note('grant'), note('open'), note('close')];
    return { grant, open, close, reject: note('reject'), wakeAt: note('wakeAt'), draw };
  }

  /** An input's arguments behind `now`, in the numbers of the shared machine. */
  #translated(pool: number, name: string, [first, ...others]: unknown[]): unknown[] {
    if (name === 'acquire' || name === 'cancel') return [Number(first) * POOLS + pool];
    if (typeof first !== 'number') return [first];
    const shared = this.#sharedOf[pool]?.get(first) ?? -1;
    if (name === 'closed' || name === 'openFailed') {
      this.#free.push(shared);
      this.#sharedOf[pool]?.delete(first);
    }
    return [shared, ...others];
  }

  #ownOf(pool: number, shared: number): number {
    for (const [own, one] of this.#sharedOf[pool] ?? []) if (one === shared) return own;
    throw new Error(`${shared} is no connection of pool ${pool}`);
  }
}

function words(count: number): Int32Array {
  return new Int32Array(count).fill(THEIRS);
}

/** Each world carries out one step in turn. */
function runInTurns(worlds: readonly PoolWorld[], scripts: readonly Step[][]): void {
  const longest = Math.max(...scripts.map((script) => script.length));
  for (let at = 0; at < longest; at++) {
    worlds.forEach((world, pool) => {
      world.run(scripts[pool]?.slice(at, at + 1) ?? []);
    });
  }
}

describe('pools that share a machine and its tables', () => {
  const scripts = fc.array(steps, { minLength: POOLS, maxLength: POOLS });

  it('decide as if each were alone, also when one gets other settings than those it shares', () => {
    fc.assert(
      fc.property(options, options, options, scripts, scripts, (some, other, later, ...runs) => {
        const shared = new Shared();
        const worlds = [some, some, other].map(
          (settings) => new PoolWorld(settings, (port) => shared.join(settings, port)),
        );
        runInTurns(worlds, runs[0]);
        worlds[0]?.configure(later);
        worlds[2]?.configure(some);
        runInTurns(worlds, runs[1]);
        for (const world of worlds) world.finish();
        shared.checkTheirs();
      }),
      { numRuns: 150 },
    );
  });

  it('need columns that can hold doubles', () => {
    const port = new Shared();
    expect(() => new Pools(port, new Rows(16), 3, new Rows(4), 0)).toThrow('odd column');
    expect(() => new Pools(port, new Rows(16), 0, new Rows(8), 1)).toThrow('odd column');
  });
});
