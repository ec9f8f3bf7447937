import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { closeCauseOf } from '../model/close-cause.ts';
import { Pool, type PoolOptions, RejectReason } from './pool.ts';
import { options, PoolWorld, steps } from './pool-world.case.ts';

const PLAIN: PoolOptions = {
  connectionsMax: 0,
  waitersMax: 0,
  idleTimeout: 0,
  requestsPerConnectionMax: 0,
  reuse: 'lifo',
};

/** A pool whose decisions are written down as text. */
function poolOf(settings: Partial<PoolOptions>) {
  const said: string[] = [];
  const state = { wakeAt: Number.POSITIVE_INFINITY };
  const pool = new Pool(
    { ...PLAIN, ...settings },
    {
      grant: (waiter, connection) => said.push(`grant ${waiter} ${connection}`),
      open: (connection) => said.push(`open ${connection}`),
      close: (connection, cause) => said.push(`close ${connection} ${closeCauseOf(cause)}`),
      reject: (waiter, reason) => said.push(`reject ${waiter} ${reason}`),
      wakeAt: (at) => {
        state.wakeAt = at;
      },
      draw: () => 0,
    },
  );
  const heard = (): string[] => said.splice(0);
  const wake = (now: number): void => {
    state.wakeAt = Number.POSITIVE_INFINITY;
    pool.wake(now);
  };
  return { pool, heard, state, wake };
}

describe('any script of steps', () => {
  it('keeps every promise, and forgets no waiter', () => {
    fc.assert(
      fc.property(options, steps, (settings, script) => {
        const world = new PoolWorld(settings, (port) => new Pool(settings, port));
        world.run(script);
        world.finish();
      }),
      { numRuns: 400 },
    );
  });

  it('keeps them also when the settings change in between', () => {
    fc.assert(
      fc.property(options, options, steps, steps, (settings, later, first, second) => {
        const world = new PoolWorld(settings, (port) => new Pool(settings, port));
        world.run(first);
        world.configure(later);
        world.run(second);
        world.finish();
      }),
      { numRuns: 300 },
    );
  });

  it('leaves nothing idle longer than its timeout and one sweep', () => {
    fc.assert(
      fc.property(options, steps, (given, script) => {
        const settings = { ...given, idleTimeout: 50, minimum: 0 };
        const world = new PoolWorld(settings, (port) => new Pool(settings, port));
        world.run(script);
        world.finish();
        world.passTime(50 + (settings.evictEvery ?? 0));
        expect(world.pool.snapshot().idle).toBe(0);
      }),
      { numRuns: 200 },
    );
  });

  it('shrinks to a lowered maximum as connections come free', () => {
    fc.assert(
      fc.property(steps, steps, (before, after) => {
        const settings = { ...PLAIN, connectionsMax: 5 };
        const world = new PoolWorld(settings, (port) => new Pool(settings, port));
        world.run(before);
        world.configure({ ...settings, connectionsMax: 2 });
        world.run(after);
        world.finish();
        const { opening, idle, busy } = world.pool.snapshot();
        if (opening + busy <= 2) expect(idle + opening + busy).toBeLessThanOrEqual(2);
      }),
      { numRuns: 200 },
    );
  });
});

describe('a pool', () => {
  it('gives the connection that comes free to the oldest waiter, and keeps the surplus', () => {
    const { pool, heard } = poolOf({});
    pool.acquire(0, 1);
    pool.opened(5, 0);
    pool.acquire(6, 2);
    expect(heard()).toEqual(['open 0', 'grant 1 0', 'open 1']);
    pool.release(7, 0, 1);
    expect(heard()).toEqual(['grant 2 0']);
    pool.opened(8, 1);
    expect(heard()).toEqual([]);
    expect(pool.snapshot()).toMatchObject({ idle: 1, busy: 1 });
  });

  it('tells exactly one waiter of each refusal, and tries on for the rest', () => {
    const { pool, heard } = poolOf({ connectionsMax: 1 });
    for (const waiter of [1, 2, 3]) pool.acquire(0, waiter);
    heard();
    pool.openFailed(1, 0);
    expect(heard()).toEqual([`reject 1 ${RejectReason.openFailed}`, 'open 0']);
    pool.cancel(2, 2);
    pool.openFailed(3, 0);
    expect(heard()).toEqual([`reject 3 ${RejectReason.openFailed}`]);
    expect(pool.snapshot()).toEqual({ opening: 0, idle: 0, busy: 0, closing: 0, waiting: 0 });
  });

  it('bounds those who wait, not those for whom a connection is coming', () => {
    const { pool, heard } = poolOf({ connectionsMax: 1, waitersMax: 1 });
    for (const waiter of [1, 2, 3]) pool.acquire(0, waiter);
    expect(heard()).toEqual(['open 0', `reject 3 ${RejectReason.full}`]);
  });

  it('opens a connection for the next waiter only when the closed one is really gone', () => {
    const { pool, heard } = poolOf({ connectionsMax: 1, requestsPerConnectionMax: 1 });
    pool.acquire(0, 1);
    pool.opened(1, 0);
    pool.acquire(2, 2);
    heard();
    pool.release(3, 0, 1);
    expect(heard()).toEqual(['close 0 max_requests']);
    pool.closed(4, 0);
    expect(heard()).toEqual(['open 0']);
  });

  it('loses all connections of a replaced node: idle now, busy and opening after their use', () => {
    const { pool, heard } = poolOf({});
    for (const waiter of [1, 2, 3, 4]) pool.acquire(0, waiter);
    pool.opened(1, 0);
    pool.opened(1, 1);
    pool.release(2, 0, 1);
    pool.release(2, 1, 1);
    expect(pool.snapshot()).toMatchObject({ opening: 2, idle: 0, busy: 2, waiting: 0 });
    pool.acquire(3, 5);
    pool.cancel(3, 5);
    pool.opened(3, 2);
    heard();
    // 0 and 1 are busy, 2 is idle, 3 is being opened.
    pool.replaced(4);
    expect(heard()).toEqual(['close 2 drain']);
    pool.release(5, 0, 1);
    expect(heard()).toEqual(['close 0 drain']);
    pool.acquire(6, 6);
    pool.opened(6, 3);
    // It was opened for somebody: it serves who waits for it, and ends after that.
    expect(heard()).toEqual(['grant 6 3']);
    pool.release(7, 3, 1);
    pool.release(7, 1, 1);
    expect(heard()).toEqual(['close 3 drain', 'close 1 drain']);
    expect(pool.snapshot()).toMatchObject({ idle: 0, busy: 0, opening: 0 });
  });

  it('does not keep what a replaced node was opening when nobody waits for it', () => {
    const { pool, heard } = poolOf({});
    pool.acquire(0, 1);
    pool.cancel(1, 1);
    pool.replaced(2);
    pool.opened(3, 0);
    expect(heard()).toEqual(['open 0', 'close 0 drain']);
  });

  it('is told of what cannot be: a connect that was never asked for', () => {
    const { pool } = poolOf({});
    expect(() => pool.opened(0, 3)).toThrow('was not being opened');
    expect(() => pool.openFailed(0, 0)).toThrow('was not being opened');
    pool.acquire(0, 7);
    expect(() => pool.acquire(0, 7)).toThrow('in the list already');
    expect(() => pool.acquire(0, -1)).toThrow(RangeError);
    expect(() => pool.acquire(0, 2 ** 40)).toThrow(RangeError);
  });
});

describe("Sequelize's pool", () => {
  const SEQUELIZE = { connectionsMax: 5, minimum: 1, idleTimeout: 10_000, evictEvery: 1_000 };

  it('sweeps every `evict` from the first idle moment, and keeps `min`', () => {
    const { pool, heard, state, wake } = poolOf({ ...SEQUELIZE, reuse: 'fifo' });
    for (const waiter of [1, 2, 3]) pool.acquire(0, waiter);
    for (const connection of [0, 1, 2]) pool.opened(100, connection);
    pool.release(500, 0, 1);
    pool.release(1_100, 1, 1);
    pool.release(1_700, 2, 1);
    heard();
    // Sweeps at 500 + k x 1,000; connection 1 is due at 11,100, so it goes at 11,500.
    expect(state.wakeAt).toBe(10_500);
    wake(10_500);
    expect(heard()).toEqual(['close 0 idle_timeout']);
    expect(state.wakeAt).toBe(11_500);
    wake(11_500);
    expect(heard()).toEqual(['close 1 idle_timeout']);
    expect(state.wakeAt).toBe(Infinity);
    expect(pool.snapshot()).toMatchObject({ idle: 1 });
  });

  it('gives up on a waiter after `acquire`, and serves the next one all the same', () => {
    const { pool, heard, state, wake } = poolOf({
      ...SEQUELIZE,
      connectionsMax: 1,
      acquireTimeout: 60,
    });
    pool.acquire(0, 1);
    pool.opened(1, 0);
    pool.acquire(10, 2);
    pool.acquire(30, 3);
    heard();
    // Asked for on behalf of waiter 1, who was served: nothing is due, and it is asked for anew.
    expect(state.wakeAt).toBe(60);
    wake(60);
    expect([heard(), state.wakeAt]).toEqual([[], 70]);
    wake(75);
    expect(heard()).toEqual([`reject 2 ${RejectReason.acquireTimeout}`]);
    pool.release(80, 0, 1);
    expect(heard()).toEqual(['grant 3 0']);
  });
});
