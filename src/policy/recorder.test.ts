import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PolicyClass } from './contract.ts';
import { Drain } from './drain.ts';
import { HealthCheck } from './health-check.ts';
import { Balancer, KeepAlive, Retry, Throttle } from './index.ts';
import { Log } from './recording.case.ts';
import { replayPolicies } from './replay.ts';

interface Step {
  readonly kind: number;
  readonly target: number;
  readonly value: number;
  readonly after: number;
}

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({ kind: fc.nat(5), target: fc.nat(3), value: fc.nat(4_000), after: fc.nat(60) }),
  { minLength: 1, maxLength: 80 },
);

/** Turns a step into one input that a driver could have given. */
type Drive = (now: number, step: Step) => void;

interface Case {
  readonly policyClass: PolicyClass;
  readonly settings: unknown;
  /** Other settings, under which the same inputs lead to other decisions. */
  readonly otherwise: unknown;
  readonly begin: (log: Log, port: Port) => { drive: Drive; wake: (now: number) => void };
}

/** A port of all policies: it does nothing, wants one wake-up and draws as it comes. */
class Port {
  at = Number.POSITIVE_INFINITY;
  #drawn = 0;

  readonly wakeAt = (at: number): void => {
    this.at = at;
  };
  readonly draw = (bound: number): number => {
    this.#drawn = (this.#drawn * 48_271 + 11) % 2_147_483_647;
    return this.#drawn % bound;
  };
  readonly nothing = (): void => {};
}

const never = (): void => {
  throw new Error('this policy never asks to be woken');
};

const throttle = { ratePerSecond: 20_000, burst: 2 };
const balancer = { algorithm: 'random-two' as const };
const retry = {
  attemptsMax: 3,
  backoff: 100,
  backoffMax: 1_000,
  jitter: 0.5,
  budget: 0.2,
  on: ['timeout' as const, '429' as const],
};
const check = {
  enabled: true,
  hop: 'app',
  path: '/',
  interval: 50,
  timeout: 20,
  healthyThreshold: 2,
  unhealthyThreshold: 2,
};
const keepAlive = { keepAliveTimeout: 90, keepAliveRequests: 3, keepAliveTime: 500 };
const drain = { deregistrationDelay: 120 };

const CASES: readonly Case[] = [
  {
    policyClass: Throttle,
    settings: throttle,
    otherwise: { ratePerSecond: 1, burst: 0 },
    begin: (log, { nothing }) => {
      const port = { accept: nothing, reject: nothing };
      const policy = log.record(Throttle, throttle, port, (given) => new Throttle(throttle, given));
      const drive: Drive = (now, { kind, value }) => {
        if (kind === 0) policy.configure(now, { ratePerSecond: value, burst: 1 + (value % 4) });
        else policy.admit(now, value);
      };
      return { drive, wake: never };
    },
  },
  {
    policyClass: Balancer,
    settings: balancer,
    otherwise: { algorithm: 'flow-hash' },
    begin: (log, { nothing, draw }) => {
      const port = { assign: nothing, noTarget: nothing, draw };
      const policy = log.record(Balancer, balancer, port, (given) => new Balancer(balancer, given));
      for (const target of [0, 1, 2]) policy.targetAdded(0, target);
      const drive: Drive = (now, { kind, target, value }) => {
        if (kind === 0) policy.targetHealth(now, target, value % 2);
        else if (kind === 1) policy.targetAdded(now, target);
        else if (kind === 2 && target > 1) policy.targetRemoved(now, target);
        else if (kind === 3) policy.started(now, target);
        else policy.choose(now, value, value);
      };
      return { drive, wake: never };
    },
  },
  {
    policyClass: Retry,
    settings: retry,
    otherwise: { ...retry, attemptsMax: 1 },
    begin: (log, { nothing, draw }) => {
      const port = { retryAt: nothing, giveUp: nothing, draw };
      const policy = log.record(Retry, retry, port, (given) => new Retry(retry, given));
      const drive: Drive = (now, { kind, target, value }) => {
        if (kind === 0) policy.firstAttempt(now, value);
        else policy.failed(now, value, 1 + target, kind - 1, value % 3);
      };
      return { drive, wake: never };
    },
  },
  {
    policyClass: HealthCheck,
    settings: check,
    otherwise: { ...check, interval: 30 },
    begin: (log, { nothing, draw, wakeAt }) => {
      const port = { probe: nothing, health: nothing, draw, wakeAt };
      const policy = log.record(HealthCheck, check, port, (given) => new HealthCheck(check, given));
      policy.targetAdded(0, 9);
      const drive: Drive = (now, { kind, target, value }) => {
        if (kind === 0) policy.targetAdded(now, target);
        else if (kind === 1) policy.targetRemoved(now, target);
        else if (kind === 2) policy.configure(now, { ...check, interval: 40 + value });
        else policy.probeResult(now, target, value % 2);
      };
      return { drive, wake: (now) => policy.wake(now) };
    },
  },
  {
    policyClass: KeepAlive,
    settings: keepAlive,
    otherwise: { ...keepAlive, keepAliveTimeout: 10 },
    begin: (log, { nothing, wakeAt }) => {
      const port = { lastRequest: nothing, close: nothing, wakeAt };
      const policy = log.record(
        KeepAlive,
        keepAlive,
        port,
        (given) => new KeepAlive(keepAlive, given),
      );
      policy.opened(0, 99);
      let opened = 0;
      const drive: Drive = (now, { kind, target }) => {
        if (kind === 0) policy.opened(now, opened++);
        else if (kind === 1) policy.closed(now, target);
        else if (kind === 2) policy.responseEnded(now, target);
        else if (kind === 3) policy.closeIdle(now, 1);
        else policy.requestStarted(now, target);
      };
      return { drive, wake: (now) => policy.wake(now) };
    },
  },
  {
    policyClass: Drain,
    settings: drain,
    otherwise: { deregistrationDelay: 10 },
    begin: (log, { nothing, wakeAt }) => {
      const port = { closeFlows: nothing, drained: nothing, wakeAt };
      const policy = log.record(Drain, drain, port, (given) => new Drain(drain, given));
      policy.flowOpened(0, 9);
      policy.begin(0, 9);
      const flows = [0, 0, 0, 0];
      const drive: Drive = (now, { kind, target }) => {
        const count = flows[target] ?? 0;
        if (kind === 0) policy.begin(now, target);
        else if (kind === 1) policy.cancel(now, target);
        else if (kind === 2 && count > 0) {
          flows[target] = count - 1;
          policy.flowClosed(now, target);
        } else {
          flows[target] = count + 1;
          policy.flowOpened(now, target);
        }
      };
      return { drive, wake: (now) => policy.wake(now) };
    },
  },
];

function record({ begin }: Case, script: readonly Step[]): Log {
  const log = new Log();
  const port = new Port();
  const { drive, wake } = begin(log, port);
  let now = 1;
  for (const step of script) {
    for (const end = now + step.after; ; ) {
      if (port.at > end) {
        now = end;
        break;
      }
      now = Math.max(now, port.at);
      port.at = Number.POSITIVE_INFINITY;
      wake(now);
    }
    drive(now, step);
  }
  return log;
}

describe.each(CASES)('a recording of $policyClass.name', (one) => {
  it('is replayed with identical decisions, whatever was done', () => {
    fc.assert(
      fc.property(steps, (script) => {
        expect(record(one, script).replay().firstDifference).toBeNull();
      }),
    );
  });

  it('differs under other settings, from the first decision that they change', () => {
    const script = Array.from({ length: 60 }, (_, index) => ({
      kind: index % 6,
      target: index % 4,
      value: index * 7,
      after: index % 5,
    }));
    const log = record(one, script);
    const { decisions, firstDifference } = log.replay();
    expect(firstDifference).toBeNull();
    expect(decisions).toBeGreaterThan(5);
    const { log: numbers, policies } = log.read();
    const changed = policies.map((logged) => ({
      ...logged,
      settings: [one.otherwise, ...logged.settings.slice(1)],
    }));
    const { firstDifference: found, ...rest } = replayPolicies(numbers, changed);
    expect(found?.name).toBe(`${one.policyClass.name}/0`);
    expect(found?.decision).toBe(rest.decisions);
    expect(found?.recorded).not.toBe(found?.replayed);
  });
});
