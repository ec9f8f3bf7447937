/**
 * A driver of `ConnectionQueue` for tests: it carries out random steps, keeps its own plain
 * account of every connection, and checks each decision against the queue's promises when it is
 * made. Clients behave as TCP clients do: a held, unread one sends nothing that anybody sees.
 * Wake-ups come when they were asked for or later, as a busy process has it, and bytes may still
 * be reported of a connection that is being closed.
 */
import fc from 'fast-check';
import { expect } from 'vitest';
import { closeCauseOf } from '../model/close-cause.ts';
import {
  type ConnectionQueue,
  type ConnectionQueuePort,
  type ConnectionQueueSettings,
  SILENT_FACTOR,
} from './connection-queue.ts';

type State = 'new' | 'held' | 'active' | 'yielded' | 'closing';

interface Connection {
  state: State;
  /** Its bytes are known to wait. */
  asked: boolean;
  /** Order in the waiting line; 0 = not in it. */
  ticket: number;
  heldSince: number;
  /** Last byte since its grant: none, up, or down; and when (the grant counts for none). */
  last: 'none' | 'up' | 'down';
  lastAt: number;
  overcommitted: boolean;
}

export interface Step {
  readonly kind: 'open' | 'up' | 'down' | 'leave' | 'wait';
  readonly pick: number;
  readonly after: number;
  /** How late wake-ups are before this step. */
  readonly late: number;
}

export const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    kind: fc.oneof(
      { weight: 4, arbitrary: fc.constant('open' as const) },
      { weight: 4, arbitrary: fc.constant('up' as const) },
      { weight: 4, arbitrary: fc.constant('down' as const) },
      { weight: 1, arbitrary: fc.constant('leave' as const) },
      { weight: 2, arbitrary: fc.constant('wait' as const) },
    ),
    pick: fc.nat(30),
    after: fc.oneof(fc.constant(0), fc.nat(10), fc.nat(200)),
    late: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(60)),
  }),
  { maxLength: 150 },
);

export const settingsOf: fc.Arbitrary<ConnectionQueueSettings> = fc.record({
  activeMax: fc.integer({ min: 1, max: 4 }),
  heldMax: fc.integer({ min: 0, max: 12 }),
  heldTimeout: fc.constantFrom(0, 150),
  order: fc.constantFrom('fifo' as const, 'lifo' as const),
  reclaim: fc.constantFrom('none' as const, 'idle-yield' as const),
  reclaimAfter: fc.constantFrom(0, 5, 20),
  whileHeld: fc.constantFrom('unread' as const, 'watch' as const),
});

export class QueueWorld {
  readonly queue: ConnectionQueue;
  readonly connections = new Map<number, Connection>();
  now = 0;
  wakeAt = Number.POSITIVE_INFINITY;
  overcommit = 0;
  settings: ConnectionQueueSettings;
  readonly #free: number[] = [];
  #numbers = 0;
  #tickets = 0;

  constructor(
    settings: ConnectionQueueSettings,
    make: (port: ConnectionQueuePort) => ConnectionQueue,
  ) {
    this.settings = settings;
    this.queue = make({
      grant: (connection) => this.#granted(connection),
      yield: (connection) => this.#yielded(connection),
      hold: (connection) => this.#held(connection),
      close: (connection, cause) => this.#closes(connection, cause),
      wakeAt: (at) => {
        this.wakeAt = at;
      },
    });
  }

  run(script: readonly Step[]): void {
    for (const step of script) {
      this.passTime(step.after, step.late);
      this.#do(step);
      this.check();
    }
  }

  passTime(lasts: number, late = 0): void {
    const end = this.now + lasts;
    while (this.wakeAt + late <= end) {
      this.now = Math.max(this.now, this.wakeAt + late);
      this.wakeAt = Number.POSITIVE_INFINITY;
      this.queue.wake(this.now);
      this.check();
    }
    this.now = end;
  }

  configure(settings: ConnectionQueueSettings): void {
    this.settings = settings;
    if (settings.whileHeld === 'unread') {
      for (const one of this.in('held')) if (one.ticket === 0) one.ticket = ++this.#tickets;
    }
    this.queue.configure(this.now, settings);
    this.check();
  }

  in(state: State): Connection[] {
    return [...this.connections.values()].filter((one) => one.state === state);
  }

  /** A connection is accepted; its number. */
  open(): number {
    const number = this.#free.pop() ?? this.#numbers++;
    this.connections.set(number, {
      state: 'new',
      asked: false,
      ticket: 0,
      heldSince: 0,
      last: 'none',
      lastAt: 0,
      overcommitted: false,
    });
    this.queue.opened(this.now, number);
    return number;
  }

  up(number: number): void {
    const one = this.#get(number);
    if (one.state === 'active') Object.assign(one, { last: 'up', lastAt: this.now });
    else if (one.state !== 'closing') {
      one.asked = true;
      if (one.state === 'held' && one.ticket === 0) one.ticket = ++this.#tickets;
    }
    this.queue.bytesUp(this.now, number);
  }

  down(number: number): void {
    const one = this.#get(number);
    if (one.state === 'active') Object.assign(one, { last: 'down', lastAt: this.now });
    else if (one.state !== 'closing' && !one.overcommitted) {
      one.overcommitted = true;
      this.overcommit += 1;
    }
    this.queue.bytesDown(this.now, number);
  }

  leave(number: number): void {
    this.connections.delete(number);
    this.#free.push(number);
    this.queue.peerClosed(this.now, number);
  }

  #do({ kind, pick }: Step): void {
    if (kind === 'open') this.open();
    else if (kind === 'up') {
      // A yielded one is read once more; a held one only under `watch`.
      const held = this.settings.whileHeld === 'watch' ? ['held'] : [];
      const read = ['active', 'yielded', 'closing', ...held];
      this.#one(pick, read, (number) => this.up(number));
    } else if (kind === 'down') {
      // What never had a slot has no server that could send.
      this.#one(pick, ['active', 'yielded', 'closing'], (number) => this.down(number));
    } else if (kind === 'leave') {
      this.#one(pick, ['held', 'active', 'yielded', 'closing'], (number) => this.leave(number));
    }
  }

  #one(pick: number, states: readonly string[], act: (number: number) => void): void {
    const possible = [...this.connections].filter(([, one]) => states.includes(one.state));
    const chosen = possible[pick % Math.max(1, possible.length)];
    if (chosen !== undefined) act(chosen[0]);
  }

  #held(number: number): void {
    const one = this.#get(number);
    expect(['new', 'yielded']).toContain(one.state);
    const joins = one.state === 'yielded' || this.settings.whileHeld === 'unread';
    one.ticket = joins ? ++this.#tickets : 0;
    one.state = 'held';
    one.heldSince = this.now;
  }

  #granted(number: number): void {
    const one = this.#get(number);
    expect(one.state).toBe('held');
    expect(this.in('active').length).toBeLessThan(this.settings.activeMax);
    const tickets = this.#line().map((each) => each.ticket);
    const next = this.settings.order === 'fifo' ? Math.min(...tickets) : Math.max(...tickets);
    expect(one.ticket).toBe(next);
    Object.assign(one, { state: 'active', ticket: 0, lastAt: this.now, overcommitted: true });
    one.last = one.asked ? 'up' : 'none';
    one.asked = false;
  }

  #yielded(number: number): void {
    const one = this.#get(number);
    expect(this.settings.reclaim).toBe('idle-yield');
    expect(this.#line().length).toBeGreaterThan(0);
    expect(one.state).toBe('active');
    expect(this.#idleAt(one)).toBeLessThanOrEqual(this.now);
    expect(this.#idleAt(one)).toBe(
      Math.min(...this.in('active').map((each) => this.#idleAt(each))),
    );
    one.state = 'yielded';
    one.overcommitted = false;
  }

  #closes(number: number, cause: number): void {
    const one = this.#get(number);
    if (closeCauseOf(cause) === 'overflow') {
      expect(one.state).toBe('new');
      const { activeMax, heldMax } = this.settings;
      expect(this.#openNow()).toBeGreaterThanOrEqual(activeMax + heldMax);
    } else {
      expect(closeCauseOf(cause)).toBe('queue_timeout');
      expect(one.state).toBe('held');
      expect(this.now - one.heldSince).toBeGreaterThanOrEqual(this.settings.heldTimeout);
    }
    one.state = 'closing';
    one.ticket = 0;
  }

  check(): void {
    const { activeMax, heldTimeout, reclaim } = this.settings;
    const line = this.#line();
    const active = this.in('active');
    expect(this.queue.snapshot()).toMatchObject({
      active: active.length,
      held: this.in('held').length,
      yielded: this.in('yielded').length,
      waiting: line.length,
      overcommit: this.overcommit,
    });
    expect(this.in('new')).toHaveLength(0);
    if (active.length < activeMax) expect(line).toHaveLength(0);
    const held = this.in('held').map((one) => one.heldSince + heldTimeout);
    const due = [
      ...(heldTimeout > 0 ? held : []),
      ...(line.length > 0 && reclaim === 'idle-yield'
        ? active.map((one) => this.#idleAt(one))
        : []),
    ];
    expect(this.wakeAt).toBe(Math.min(...due));
    // Nobody waits while a slot could have been taken from somebody idle before now, unless the
    // wake-up for it is late.
    if (line.length > 0 && reclaim === 'idle-yield' && this.wakeAt >= this.now) {
      for (const one of active) expect(this.#idleAt(one)).toBeGreaterThanOrEqual(this.now);
    }
  }

  #idleAt({ last, lastAt }: Connection): number {
    const { reclaimAfter } = this.settings;
    if (last === 'up') return Number.POSITIVE_INFINITY;
    return lastAt + (last === 'none' ? SILENT_FACTOR : 1) * reclaimAfter;
  }

  #line(): Connection[] {
    return this.in('held').filter((one) => one.ticket > 0);
  }

  #openNow(): number {
    return this.in('held').length + this.in('active').length + this.in('yielded').length;
  }

  #get(number: number): Connection {
    const connection = this.connections.get(number);
    if (connection === undefined) throw new Error(`there is no connection ${number}`);
    return connection;
  }
}
