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
    expect(state.wakeAt).toBe(5 + 75 * SECOND);
    policy.responseEnded(20, 0);
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

describe('any script of steps', () => {
  const steps = fc.array(
    fc.record({
      kind: fc.constantFrom('open', 'request', 'response', 'closed', 'wait'),
      connection: fc.nat(5),
      after: fc.oneof(fc.constant(0), fc.nat(30)),
    }),
    { maxLength: 120 },
  );
  const settings = fc.record({
    keepAliveTimeout: fc.constantFrom(0, 20, 50),
    keepAliveRequests: fc.nat(3),
    keepAliveTime: fc.constantFrom(0, 100),
  });

  it('closes idle ones only, never early, and has a wake-up pending for the next', () => {
    fc.assert(
      fc.property(settings, steps, (given, script) => {
        const { policy, heard, state, wake } = keepAliveOf(given);
        const idleSince = new Map<number, number>();
        const open = new Map<number, 'idle' | 'busy' | 'closing'>();
        const { keepAliveTimeout } = given;
        let now = 0;
        const listen = (): void => {
          for (const line of heard().filter((one) => one.startsWith('close'))) {
            const connection = Number(line.split(' ')[1]);
            expect(open.get(connection)).toBe('idle');
            const idle = now - (idleSince.get(connection) ?? now);
            expect(idle).toBeGreaterThanOrEqual(keepAliveTimeout);
            open.set(connection, 'closing');
          }
        };
        for (const { kind, connection, after } of script) {
          const end = now + after;
          while (state.wakeAt <= end) {
            now = state.wakeAt;
            wake(now);
            listen();
          }
          now = end;
          const is = open.get(connection);
          if (kind === 'open' && is === undefined) {
            policy.opened(now, connection);
            open.set(connection, 'idle');
            idleSince.set(connection, now);
          } else if (kind === 'request' && is === 'idle') {
            policy.requestStarted(now, connection);
            open.set(connection, 'busy');
          } else if (kind === 'response') {
            // Also of connections that are closing or gone: late, and of no effect.
            policy.responseEnded(now, connection);
            if (is === 'busy') {
              open.set(connection, 'idle');
              idleSince.set(connection, now);
            }
          } else if (kind === 'closed') {
            policy.closed(now, connection);
            open.delete(connection);
          }
          listen();
          const idle = [...open].filter(([, one]) => one === 'idle');
          const due = idle.map(([number]) => (idleSince.get(number) ?? 0) + keepAliveTimeout);
          expect(state.wakeAt).toBe(keepAliveTimeout === 0 ? Infinity : Math.min(...due));
          expect(policy.snapshot()).toEqual({ open: open.size, idle: idle.length });
        }
      }),
      { numRuns: 300 },
    );
  });

  it('throws for a connection that is opened twice', () => {
    const { policy } = keepAliveOf(NGINX);
    policy.opened(0, 0);
    expect(() => policy.opened(1, 0)).toThrow('open already');
  });
});
