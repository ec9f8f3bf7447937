import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { closeCauseOf } from '../model/close-cause.ts';
import { KeepAlive, type KeepAliveSettings } from './keep-alive.ts';

const SECOND = 1_000_000;
const NGINX: KeepAliveSettings = {
  keepAliveTimeout: 75 * SECOND,
  keepAliveRequests: 100,
  keepAliveTime: 3_600 * SECOND,
};

function keepAliveOf(settings: KeepAliveSettings) {
  const said: string[] = [];
  const state = { wakeAt: Number.POSITIVE_INFINITY };
  const policy = new KeepAlive(settings, {
    lastRequest: (connection, cause) => said.push(`last ${connection} ${closeCauseOf(cause)}`),
    close: (connection, cause) => said.push(`close ${connection} ${closeCauseOf(cause)}`),
    wakeAt: (at) => {
      state.wakeAt = at;
    },
  });
  const heard = (): string[] => said.splice(0);
  const wake = (now: number): void => {
    state.wakeAt = Number.POSITIVE_INFINITY;
    policy.wake(now);
  };
  return { policy, heard, state, wake };
}

describe("nginx's rules", () => {
  it('end a connection with the response to request number keepalive_requests', () => {
    const { policy, heard } = keepAliveOf(NGINX);
    policy.opened(0, 4);
    for (let request = 1; request <= 99; request++) {
      policy.requestStarted(request, 4);
      policy.responseEnded(request, 4);
    }
    expect(heard()).toEqual([]);
    policy.requestStarted(100, 4);
    expect(heard()).toEqual(['last 4 max_requests']);
  });

  it('end a connection with the first request after keepalive_time', () => {
    const { policy, heard } = keepAliveOf(NGINX);
    policy.opened(0, 1);
    policy.requestStarted(3_600 * SECOND - 1, 1);
    policy.responseEnded(3_600 * SECOND, 1);
    expect(heard()).toEqual([]);
    policy.requestStarted(3_600 * SECOND, 1);
    expect(heard()).toEqual(['last 1 max_age']);
  });

  it('close what was idle for keepalive_timeout, counted from the last response', () => {
    const { policy, heard, state, wake } = keepAliveOf(NGINX);
    policy.opened(0, 0);
    policy.opened(5, 1);
    policy.requestStarted(10, 0);
    policy.responseEnded(20, 0);
    // Asked for when connection 0 was the one: a request leaves the wake-up where it is.
    expect(state.wakeAt).toBe(75 * SECOND);
    wake(75 * SECOND);
    expect([heard(), state.wakeAt]).toEqual([[], 5 + 75 * SECOND]);
    wake(5 + 75 * SECOND);
    expect(heard()).toEqual(['close 1 idle_timeout']);
    expect(state.wakeAt).toBe(20 + 75 * SECOND);
  });

  it('close the longest idle ones first when worker_connections run low', () => {
    const { policy, heard } = keepAliveOf(NGINX);
    for (const connection of [0, 1, 2, 3]) policy.opened(connection, connection);
    policy.requestStarted(4, 0);
    policy.closeIdle(5, 2);
    expect(heard()).toEqual(['close 1 idle_timeout', 'close 2 idle_timeout']);
    policy.closeIdle(5, 9);
    expect(heard()).toEqual(['close 3 idle_timeout']);
  });

  it('know no limit where a setting is 0', () => {
    const none = { keepAliveTimeout: 0, keepAliveRequests: 0, keepAliveTime: 0 };
    const { policy, heard, state } = keepAliveOf(none);
    policy.opened(0, 0);
    for (let request = 0; request < 10_000; request++) {
      policy.requestStarted(request * SECOND, 0);
      policy.responseEnded(request * SECOND, 0);
    }
    expect([heard(), state.wakeAt]).toEqual([[], Infinity]);
  });
});

interface Step {
  readonly kind: 'open' | 'request' | 'response' | 'closed' | 'closeIdle' | 'configure' | 'wait';
  readonly connection: number;
  readonly after: number;
  /** How late wake-ups are before this step. */
  readonly late: number;
  readonly settings: KeepAliveSettings;
}

interface Connection {
  state: 'idle' | 'busy' | 'closing';
  readonly openedAt: number;
  idleSince: number;
  requests: number;
}

const settings: fc.Arbitrary<KeepAliveSettings> = fc.record({
  keepAliveTimeout: fc.constantFrom(0, 20, 50),
  keepAliveRequests: fc.nat(3),
  keepAliveTime: fc.constantFrom(0, 100),
});

const kinds = (...all: Step['kind'][]): fc.Arbitrary<Step['kind']> => fc.constantFrom(...all);

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    kind: fc.oneof(
      { weight: 6, arbitrary: kinds('open', 'request', 'response', 'wait') },
      { weight: 1, arbitrary: kinds('closed', 'closeIdle', 'configure') },
    ),
    connection: fc.nat(5),
    after: fc.oneof(fc.constant(0), fc.nat(30)),
    late: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(40)),
    settings,
  }),
  { maxLength: 120 },
);

/** A plain account of every connection, against which each decision is checked. */
class Account {
  readonly #driver: ReturnType<typeof keepAliveOf>;
  readonly #open = new Map<number, Connection>();
  #settings: KeepAliveSettings;
  #now = 0;
  /** How many `closeIdle` asked for and may still close, however young. */
  #wanted = 0;

  constructor(given: KeepAliveSettings) {
    this.#settings = given;
    this.#driver = keepAliveOf(given);
  }

  run({ kind, connection, after, late, settings: next }: Step): void {
    const { policy, state, wake } = this.#driver;
    const end = this.#now + after;
    while (state.wakeAt + late <= end) {
      this.#now = Math.max(this.#now, state.wakeAt + late);
      wake(this.#now);
      this.#listen();
      // It may have been put off since it was asked for; the next one is asked for anew.
      expect(state.wakeAt).toBe(this.#due());
    }
    this.#now = end;
    const now = end;
    const one = this.#open.get(connection);
    if (kind === 'open' && one === undefined) {
      const fresh = { state: 'idle', openedAt: now, idleSince: now, requests: 0 } as const;
      this.#open.set(connection, { ...fresh });
      policy.opened(now, connection);
    } else if (kind === 'request') this.#request(connection, one);
    else if (kind === 'response') {
      // Also of connections that are closing or gone: late, and of no effect.
      if (one?.state === 'busy') Object.assign(one, { state: 'idle', idleSince: now });
      policy.responseEnded(now, connection);
    } else if (kind === 'closed') {
      this.#open.delete(connection);
      policy.closed(now, connection);
    } else if (kind === 'closeIdle') {
      const before = this.#in('idle').length;
      this.#wanted = Math.min(connection, before);
      policy.closeIdle(now, connection);
      this.#listen();
      expect([this.#in('idle').length, this.#wanted]).toEqual([
        Math.max(0, before - connection),
        0,
      ]);
    } else if (kind === 'configure') {
      this.#settings = next;
      policy.configure(now, next);
    }
    this.#listen();
    this.#check();
  }

  /** Pipelined ones come while busy; one that crosses the close is of no effect. */
  #request(connection: number, one: Connection | undefined): void {
    const { keepAliveRequests, keepAliveTime } = this.#settings;
    this.#driver.policy.requestStarted(this.#now, connection);
    const expected: string[] = [];
    if (one !== undefined && one.state !== 'closing') {
      one.state = 'busy';
      one.requests += 1;
      const isOld = keepAliveTime > 0 && this.#now - one.openedAt >= keepAliveTime;
      const isSpent = keepAliveRequests > 0 && one.requests >= keepAliveRequests;
      if (isSpent || isOld) {
        expected.push(`last ${connection} ${isSpent ? 'max_requests' : 'max_age'}`);
      }
    }
    expect(this.#driver.heard()).toEqual(expected);
  }

  #listen(): void {
    for (const line of this.#driver.heard()) {
      const [what, number, cause] = line.split(' ');
      expect([what, cause]).toEqual(['close', 'idle_timeout']);
      const one = this.#open.get(Number(number));
      if (one === undefined) throw new Error(`connection ${number} is not open`);
      expect(one.state).toBe('idle');
      const longest = Math.min(...this.#in('idle').map((each) => each.idleSince));
      expect(one.idleSince).toBe(longest);
      if (this.#wanted > 0) this.#wanted -= 1;
      else {
        const { keepAliveTimeout } = this.#settings;
        expect(keepAliveTimeout).toBeGreaterThan(0);
        expect(this.#now - one.idleSince).toBeGreaterThanOrEqual(keepAliveTimeout);
      }
      one.state = 'closing';
    }
  }

  #check(): void {
    const { policy, state } = this.#driver;
    expect(state.wakeAt).toBeLessThanOrEqual(this.#due());
    expect(policy.snapshot()).toEqual({ open: this.#open.size, idle: this.#in('idle').length });
  }

  /** When the longest idle one is to be closed. */
  #due(): number {
    const { keepAliveTimeout } = this.#settings;
    if (keepAliveTimeout === 0) return Number.POSITIVE_INFINITY;
    return Math.min(...this.#in('idle').map((one) => one.idleSince + keepAliveTimeout));
  }

  #in(state: Connection['state']): Connection[] {
    return [...this.#open.values()].filter((one) => one.state === state);
  }
}

describe('any script of steps', () => {
  it('closes idle ones only, never early, tells each last request, and asks to be woken', () => {
    fc.assert(
      fc.property(settings, steps, (given, script) => {
        const account = new Account(given);
        for (const step of script) account.run(step);
      }),
      { numRuns: 400 },
    );
  });

  it('throws for a connection that is opened twice', () => {
    const { policy } = keepAliveOf(NGINX);
    policy.opened(0, 0);
    expect(() => policy.opened(1, 0)).toThrow('open already');
  });
});
