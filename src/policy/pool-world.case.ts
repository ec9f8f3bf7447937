/**
 * A driver of `Pool` for tests: it carries out random steps, keeps its own plain account of every
 * connection and waiter, and checks each decision against the pool's promises when it is made.
 * Wake-ups come when they were asked for or later, as a busy process has it.
 */
import fc from 'fast-check';
import { expect } from 'vitest';
import { closeCauseCode, closeCauseOf } from '../model/close-cause.ts';
import { type Pool, type PoolOptions, type PoolPort, RejectReason } from './pool.ts';

type State = 'opening' | 'idle' | 'busy' | 'closing';

interface Connection {
  state: State;
  /** Told to the pool in the present input, so about to be granted, idle or closing. */
  settling: boolean;
  requests: number;
  idleSince: number;
  /** Counts who became idle before whom, also at the same time. */
  idleTurn: number;
  doomed: boolean;
}

export interface Step {
  readonly kind:
    | 'acquire'
    | 'opened'
    | 'openFailed'
    | 'release'
    | 'closed'
    | 'cancel'
    | 'replaced'
    | 'wait';
  /** Which of the possible connections or waiters. */
  readonly pick: number;
  readonly after: number;
  /** How late wake-ups are before this step. */
  readonly late: number;
}

export const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    kind: fc.oneof(
      { weight: 6, arbitrary: fc.constant('acquire' as const) },
      { weight: 4, arbitrary: fc.constant('opened' as const) },
      { weight: 1, arbitrary: fc.constant('openFailed' as const) },
      { weight: 4, arbitrary: fc.constant('release' as const) },
      { weight: 2, arbitrary: fc.constant('closed' as const) },
      { weight: 1, arbitrary: fc.constant('cancel' as const) },
      { weight: 1, arbitrary: fc.constant('replaced' as const) },
      { weight: 2, arbitrary: fc.constant('wait' as const) },
    ),
    pick: fc.nat(20),
    after: fc.oneof(fc.constant(0), fc.nat(30), fc.nat(300)),
    late: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(60)),
  }),
  { maxLength: 120 },
);

export const options: fc.Arbitrary<PoolOptions> = fc.record({
  connectionsMax: fc.integer({ min: 0, max: 5 }),
  waitersMax: fc.integer({ min: 0, max: 4 }),
  idleTimeout: fc.constantFrom(0, 50, 100),
  requestsPerConnectionMax: fc.integer({ min: 0, max: 3 }),
  reuse: fc.constantFrom('lifo' as const, 'fifo' as const, 'random' as const),
  minimum: fc.integer({ min: 0, max: 2 }),
  acquireTimeout: fc.constantFrom(0, 40),
  evictEvery: fc.constantFrom(0, 7, 60),
});

export class PoolWorld {
  readonly pool: Pool;
  readonly connections = new Map<number, Connection>();
  /** Those who wait, oldest first, and since when. */
  readonly waiting: { waiter: number; since: number }[] = [];
  readonly outcomes = new Map<number, string>();
  now = 0;
  wakeAt = Number.POSITIVE_INFINITY;
  #settings: PoolOptions;
  #waiters = 0;
  #turns = 0;
  /** What the last draw was asked, and answered. */
  #drawn: { bound: number; value: number } | null = null;
  #mostOpen = 0;

  constructor(settings: PoolOptions, make: (port: PoolPort) => Pool) {
    this.#settings = settings;
    this.pool = make({
      grant: (waiter, connection) => this.#granted(waiter, connection),
      open: (connection) => this.#opens(connection),
      close: (connection, cause) => this.#closes(connection, cause),
      reject: (waiter, reason) => this.#rejected(waiter, reason),
      wakeAt: (at) => {
        this.wakeAt = at;
      },
      draw: (bound) => {
        this.#drawn = { bound, value: this.#waiters % bound };
        return this.#drawn.value;
      },
    });
  }

  run(script: readonly Step[]): void {
    for (const step of script) {
      this.passTime(step.after, step.late);
      this.#do(step);
      this.#check();
    }
  }

  /** Time goes on; the pool is woken when it asked for it, never sooner. */
  passTime(lasts: number, late = 0): void {
    const end = this.now + lasts;
    while (this.wakeAt + late <= end) {
      this.now = Math.max(this.now, this.wakeAt + late);
      this.wakeAt = Number.POSITIVE_INFINITY;
      this.pool.wake(this.now);
      this.#check();
      this.#checkNextWakeUp();
    }
    this.now = end;
  }

  /** Every connect succeeds, every exchange ends: who waits must be served in the end. */
  finish(): void {
    for (let rounds = 0; this.waiting.length > 0; rounds++) {
      expect(rounds).toBeLessThan(1_000);
      for (const kind of ['opened', 'release', 'closed'] as const) {
        this.#do({ kind, pick: rounds, after: 0, late: 0 });
        this.#check();
      }
    }
    expect(this.outcomes.size).toBe(this.#waiters);
  }

  configure(settings: PoolOptions): void {
    this.#settings = settings;
    this.#mostOpen = this.connections.size;
    this.pool.configure(this.now, settings);
    this.#check();
  }

  #do({ kind, pick }: Step): void {
    if (kind === 'acquire') {
      this.#waiters += 1;
      this.waiting.push({ waiter: this.#waiters, since: this.now });
      this.pool.acquire(this.now, this.#waiters);
    } else if (kind === 'cancel') {
      const [one] = this.waiting.splice(pick % Math.max(1, this.waiting.length), 1);
      if (one === undefined) return;
      this.outcomes.set(one.waiter, 'cancelled');
      this.pool.cancel(this.now, one.waiter);
    } else if (kind === 'replaced') {
      for (const one of this.connections.values()) one.doomed = one.state !== 'closing';
      this.pool.replaced(this.now);
    } else if (kind !== 'wait') this.#about(kind, pick);
  }

  #about(kind: 'opened' | 'openFailed' | 'release' | 'closed', pick: number): void {
    const from: readonly State[] =
      kind === 'release' ? ['busy'] : kind === 'closed' ? ['idle', 'busy', 'closing'] : ['opening'];
    const possible = [...this.connections].filter(([, one]) => from.includes(one.state));
    const chosen = possible[pick % Math.max(1, possible.length)];
    if (chosen === undefined) return;
    const [number, connection] = chosen;
    if (kind === 'opened') {
      connection.settling = true;
      this.pool.opened(this.now, number);
    } else if (kind === 'release') {
      const reusable = pick % 4 === 0 ? 0 : 1;
      connection.requests += 1;
      connection.settling = reusable === 1;
      if (reusable === 0) connection.state = 'closing';
      this.pool.release(this.now, number, reusable);
    } else {
      this.connections.delete(number);
      if (kind === 'closed') this.pool.closed(this.now, number);
      else this.pool.openFailed(this.now, number);
    }
    if (connection.settling) {
      connection.settling = false;
      connection.state = 'idle';
      connection.idleSince = this.now;
      connection.idleTurn = ++this.#turns;
    }
  }

  #granted(waiter: number, number: number): void {
    const first = this.waiting.shift();
    expect(first?.waiter).toBe(waiter);
    const connection = this.#get(number);
    const { requestsPerConnectionMax: most, reuse } = this.#settings;
    if (!connection.settling) {
      expect(connection.state).toBe('idle');
      const turns = this.#in('idle').map((one) => one.idleTurn);
      turns.sort((x, y) => x - y);
      if (reuse === 'lifo') expect(connection.idleTurn).toBe(turns.at(-1));
      if (reuse === 'fifo') expect(connection.idleTurn).toBe(turns[0]);
      if (reuse === 'random' && turns.length > 1) {
        expect(this.#drawn?.bound).toBe(turns.length);
        expect(connection.idleTurn).toBe(turns[this.#drawn?.value ?? -1]);
      }
      this.#drawn = null;
      expect(connection.doomed).toBe(false);
    }
    if (most > 0) expect(connection.requests).toBeLessThan(most);
    connection.settling = false;
    connection.state = 'busy';
    this.outcomes.set(waiter, `granted ${number}`);
  }

  #opens(number: number): void {
    expect(this.connections.has(number)).toBe(false);
    const { connectionsMax } = this.#settings;
    if (connectionsMax > 0) expect(this.connections.size).toBeLessThan(connectionsMax);
    expect(this.#in('opening').length).toBeLessThan(this.waiting.length);
    const fresh: Connection = {
      state: 'opening',
      settling: false,
      requests: 0,
      idleSince: 0,
      idleTurn: 0,
      doomed: false,
    };
    this.connections.set(number, fresh);
    this.#mostOpen = Math.max(this.#mostOpen, this.connections.size);
    expect(number).toBeLessThan(200);
  }

  #closes(number: number, code: number): void {
    const connection = this.#get(number);
    expect(connection.settling || connection.state === 'idle').toBe(true);
    const { idleTimeout, requestsPerConnectionMax, minimum = 0 } = this.#settings;
    const cause = closeCauseOf(code);
    if (cause === 'idle_timeout') {
      expect(this.now - connection.idleSince).toBeGreaterThanOrEqual(idleTimeout);
      const kept = this.#in('idle').length + this.#in('busy').length;
      expect(kept).toBeGreaterThan(minimum);
    } else if (cause === 'max_requests') {
      expect(requestsPerConnectionMax).toBeGreaterThan(0);
      expect(connection.requests).toBeGreaterThanOrEqual(requestsPerConnectionMax);
    } else if (cause === 'drain') expect(connection.doomed).toBe(true);
    else {
      expect(code).toBe(closeCauseCode('overflow'));
      const { connectionsMax } = this.#settings;
      const closing = this.#in('closing').length;
      expect(connectionsMax).toBeGreaterThan(0);
      expect(this.connections.size - closing).toBeGreaterThan(connectionsMax);
    }
    connection.settling = false;
    connection.state = 'closing';
  }

  #rejected(waiter: number, reason: number): void {
    const place = this.waiting.findIndex((one) => one.waiter === waiter);
    const one = this.waiting[place];
    if (one === undefined) throw new Error(`${waiter} does not wait`);
    const { waitersMax, connectionsMax, acquireTimeout = 0 } = this.#settings;
    if (reason === RejectReason.full) {
      expect(place).toBe(this.waiting.length - 1);
      expect(this.connections.size).toBeGreaterThanOrEqual(connectionsMax);
      expect(place - this.#in('opening').length).toBeGreaterThanOrEqual(waitersMax);
    } else {
      expect(place).toBe(0);
      // A refusal is nobody's loss while as many connections are coming as waiters wait.
      if (reason === RejectReason.openFailed) {
        expect(this.#in('opening').length).toBeLessThan(this.waiting.length);
      }
      const patience = reason === RejectReason.acquireTimeout ? acquireTimeout : 0;
      expect(this.now - one.since).toBeGreaterThanOrEqual(patience);
    }
    this.waiting.splice(place, 1);
    this.outcomes.set(waiter, `rejected ${reason}`);
  }

  #check(): void {
    const { connectionsMax, evictEvery = 0 } = this.#settings;
    const idle = this.#in('idle');
    const opening = this.#in('opening').length;
    expect(this.pool.snapshot()).toEqual({
      opening,
      idle: idle.length,
      busy: this.#in('busy').length,
      closing: this.#in('closing').length,
      waiting: this.waiting.length,
    });
    if (idle.length > 0) {
      expect(this.waiting).toHaveLength(0);
      const kept = this.connections.size - this.#in('closing').length;
      if (connectionsMax > 0) expect(kept).toBeLessThanOrEqual(connectionsMax);
    }
    const full = connectionsMax > 0 && this.connections.size >= connectionsMax;
    if (!full) expect(opening).toBeGreaterThanOrEqual(this.waiting.length);
    const { patience, due } = this.#due();
    expect(this.wakeAt).toBeLessThanOrEqual(Math.min(patience, due + evictEvery));
  }

  /** A wake-up may have been put off since it was asked for; the next one is asked for anew. */
  #checkNextWakeUp(): void {
    const { patience, due } = this.#due();
    expect(this.wakeAt).toBeGreaterThanOrEqual(Math.min(patience, due));
  }

  /** When the oldest waiter's patience ends, and when the longest idle connection may go. */
  #due(): { patience: number; due: number } {
    const { idleTimeout, acquireTimeout = 0, minimum = 0 } = this.#settings;
    const idle = this.#in('idle');
    const oldest = this.waiting[0];
    const patience =
      acquireTimeout > 0 && oldest !== undefined ? oldest.since + acquireTimeout : Infinity;
    const mayGo = idleTimeout > 0 && idle.length + this.#in('busy').length > minimum;
    // Of nothing at all the least is Infinity, which is when nobody need be woken.
    const due = mayGo ? Math.min(...idle.map((one) => one.idleSince)) + idleTimeout : Infinity;
    return { patience, due };
  }

  #in(state: State): Connection[] {
    return [...this.connections.values()].filter((one) => one.state === state && !one.settling);
  }

  #get(number: number): Connection {
    const connection = this.connections.get(number);
    if (connection === undefined) throw new Error(`there is no connection ${number}`);
    return connection;
  }
}
