import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Balancer } from './balancer.ts';
import { policyNamed } from './catalog.ts';
import { ConnectionQueue } from './connection-queue.ts';
import { HealthCheck } from './health-check.ts';
import { Pool, type PoolOptions } from './pool.ts';
import { options, PoolWorld, steps as poolSteps } from './pool-world.case.ts';
import { QueueWorld, steps as queueSteps, settingsOf } from './queue-world.case.ts';
import { OUTPUT } from './recorder.ts';
import { Log } from './recording.case.ts';
import { type ReplayResult, replayPolicies } from './replay.ts';
import { Throttle } from './throttle.ts';

const PLAIN_POOL: PoolOptions = {
  connectionsMax: 2,
  waitersMax: 0,
  idleTimeout: 0,
  requestsPerConnectionMax: 0,
  reuse: 'lifo',
};

/** Where each entry of a log begins and ends. */
function entriesOf(log: Float64Array): [number, number][] {
  const found: [number, number][] = [];
  for (let at = 0; at < log.length; ) {
    const next = at + 3 + (log[at + 2] ?? 0);
    found.push([at, next]);
    at = next;
  }
  return found;
}

const noPort = { accept: () => {}, reject: () => {} };

describe('a replay', () => {
  it('of any script of pools and queues, side by side, is identical', () => {
    fc.assert(
      fc.property(options, settingsOf, poolSteps, queueSteps, (pool, queue, first, second) => {
        const log = new Log();
        const poolWorld = new PoolWorld(pool, (port) =>
          log.record(Pool, pool, port, (given) => new Pool(pool, given)),
        );
        const queueWorld = new QueueWorld(queue, (port) =>
          log.record(ConnectionQueue, queue, port, (given) => new ConnectionQueue(queue, given)),
        );
        const half = first.length / 2;
        poolWorld.run(first.slice(0, half));
        queueWorld.run(second);
        queueWorld.configure({ ...queue, activeMax: queue.activeMax + 1 });
        poolWorld.run(first.slice(half));
        queueWorld.run(second);
        const result = log.replay();
        expect(result.firstDifference).toBeNull();
        expect(result.policies).toBe(2);
        if (first.some(({ kind }) => kind === 'acquire')) {
          expect(result.decisions).toBeGreaterThan(0);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('finds any one number that was changed in a decision', () => {
    const log = new Log();
    const settings = { algorithm: 'random-two' as const };
    let drawn = 0;
    const port = {
      assign: () => {},
      noTarget: () => {},
      draw: (bound: number) => drawn++ % bound,
    };
    const balancer = log.record(Balancer, settings, port, (given) => new Balancer(settings, given));
    for (const target of [0, 1, 2]) balancer.targetAdded(0, target);
    for (let flow = 0; flow < 5; flow++) balancer.choose(flow, flow, 0);
    expect(log.replay()).toMatchObject({ inputs: 8, decisions: 15, firstDifference: null });

    const { log: numbers, policies } = log.read();
    let changed = 0;
    for (let at = 0; at < numbers.length; at += 3 + (numbers[at + 2] ?? 0)) {
      if ((numbers[at + 1] ?? 0) < OUTPUT) continue;
      // A draw's result is not a decision: it changes what is decided on, or nothing.
      const isDraw = numbers[at + 1] === OUTPUT + Balancer.outputs.indexOf('draw');
      const values = (numbers[at + 2] ?? 0) - (isDraw ? 1 : 0);
      for (let value = 0; value < values; value++) {
        const wrong = numbers.slice();
        wrong[at + 3 + value] = (wrong[at + 3 + value] ?? 0) + 1;
        expect(replayPolicies(wrong, policies).firstDifference).not.toBeNull();
        changed += 1;
      }
    }
    expect(changed).toBe(20);
  });

  it('says who differs, and how', () => {
    const log = new Log();
    const settings = { ratePerSecond: 1, burst: 1 };
    const throttle = log.record(Throttle, settings, noPort, (port) => new Throttle(settings, port));
    throttle.admit(1, 7);
    throttle.admit(2, 8);
    const { log: numbers, policies } = log.read();
    const generous = policies.map((one) => ({ ...one, settings: [{ ...settings, burst: 2 }] }));
    expect(replayPolicies(numbers, generous).firstDifference).toEqual({
      instance: 0,
      name: 'Throttle/0',
      input: 2,
      decision: 1,
      recorded: 'reject(8, 1)',
      replayed: 'accept(8)',
    });
    const silent = numbers.slice(0, 5);
    expect(replayPolicies(silent, policies).firstDifference).toMatchObject({ recorded: 'nothing' });
  });

  it('misses any input that was decided on, the first one too', () => {
    const log = new Log();
    const world = new PoolWorld(PLAIN_POOL, (port) =>
      log.record(Pool, PLAIN_POOL, port, (given) => new Pool(PLAIN_POOL, given)),
    );
    const kinds = ['acquire', 'acquire', 'opened', 'release', 'acquire', 'closed'] as const;
    world.run(kinds.map((kind) => ({ kind, pick: 1, after: 3, late: 0 })));
    world.finish();
    expect(log.replay().firstDifference).toBeNull();
    const { log: numbers, policies } = log.read();
    const all = entriesOf(numbers);
    const isInput = (at: number): boolean => (numbers[at + 1] ?? 0) < OUTPUT;
    let missing = 0;
    for (const [index, [from, to]] of all.entries()) {
      const next = all[index + 1]?.[0] ?? from;
      const isDecided = isInput(from) && !isInput(next);
      if (!isDecided) continue;
      const without = Float64Array.from([...numbers.slice(0, from), ...numbers.slice(to)]);
      const { firstDifference } = replayPolicies(without, policies);
      expect(firstDifference, `without the input at number ${from}`).not.toBeNull();
      missing += 1;
    }
    expect(missing).toBeGreaterThan(4);
  });

  it('tells of an input that is missing also by what came of it later, or was refused', () => {
    const log = new Log();
    const port = { grant: () => {}, open: () => {}, close: () => {}, reject: () => {} };
    const whole = { ...port, wakeAt: () => {}, draw: () => 0 };
    const pool = log.record(Pool, PLAIN_POOL, whole, (given) => new Pool(PLAIN_POOL, given));
    pool.acquire(1, 1);
    pool.opened(2, 0);
    pool.release(3, 0, 1);
    pool.acquire(4, 2);
    const { log: numbers, policies } = log.read();
    const all = entriesOf(numbers);
    const difference = (...missing: number[]) => {
      const left = all.filter((_, index) => !missing.includes(index));
      const kept = Float64Array.from(left.flatMap(([from, to]) => [...numbers.slice(from, to)]));
      return replayPolicies(kept, policies).firstDifference;
    };
    // acquire, open, opened, grant, release, acquire, grant: without the release it opens another.
    expect(difference(4)).toMatchObject({ recorded: 'grant(2, 0)', replayed: 'open(1)' });
    expect(difference(0)).toMatchObject({ input: 0, recorded: 'open(0)', replayed: 'nothing' });
    expect(difference(0, 1)).toMatchObject({
      input: 1,
      recorded: 'grant(1, 0)',
      replayed: 'an error in opened: connection 0 was not being opened',
    });
  });

  it('reads no log that is cut off in the middle of an entry, or that is none', () => {
    const log = new Log();
    const settings = { ratePerSecond: 1, burst: 1 };
    const throttle = log.record(Throttle, settings, noPort, (port) => new Throttle(settings, port));
    for (let request = 0; request < 4; request++) throttle.admit(request, request);
    const { log: numbers, policies } = log.read();
    const ends = entriesOf(numbers).map(([, to]) => to);
    for (let length = 1; length < numbers.length; length++) {
      const cut = (): ReplayResult => replayPolicies(numbers.slice(0, length), policies);
      if (!ends.includes(length)) expect(cut).toThrow('no whole entry');
      // Between an input and its decision a cut shows; after the decision nobody can tell.
      else expect(cut().firstDifference === null).toBe(ends.indexOf(length) % 2 === 1);
    }
    for (const count of [-3, 0.5, Number.NaN]) {
      const none = Float64Array.from([0, 0, count, 1]);
      expect(() => replayPolicies(none, policies)).toThrow('no whole entry');
    }
  });

  it('gives settings that were changed while running to the same moment', () => {
    const log = new Log();
    const settings = { ratePerSecond: 1, burst: 1 };
    const throttle = log.record(Throttle, settings, noPort, (port) => new Throttle(settings, port));
    throttle.admit(1, 1);
    throttle.configure(2, { ratePerSecond: 1_000_000, burst: 5 });
    throttle.admit(3, 2);
    expect(log.read().policies[0]?.settings).toHaveLength(2);
    expect(log.replay()).toMatchObject({ inputs: 3, decisions: 2, firstDifference: null });
  });

  it('is not confused by a policy whose configure does what its wake-up does', () => {
    const log = new Log();
    const settings = {
      enabled: true,
      hop: '',
      path: '/',
      interval: 10,
      timeout: 5,
      healthyThreshold: 1,
      unhealthyThreshold: 1,
    };
    const port = { probe: () => {}, health: () => {}, wakeAt: () => {}, draw: () => 3 };
    const check = log.record(
      HealthCheck,
      settings,
      port,
      (given) => new HealthCheck(settings, given),
    );
    check.targetAdded(0, 0);
    check.wake(3);
    check.configure(4, { ...settings, interval: 2 });
    check.probeResult(5, 0, 0);
    expect(log.replay()).toMatchObject({ inputs: 4, firstDifference: null });
  });
});

describe('a recording', () => {
  it('is whole however many chunks it takes', () => {
    const log = new Log();
    const settings = { ratePerSecond: 100, burst: 10 };
    const throttle = log.record(Throttle, settings, noPort, (port) => new Throttle(settings, port));
    for (let i = 0; i < 10_000; i++) throttle.admit(i * 3_000, i);
    expect(log.replay()).toMatchObject({
      inputs: 10_000,
      decisions: 10_000,
      firstDifference: null,
    });
  });

  it('stops a driver that calls back before its policy has returned', () => {
    const log = new Log();
    const settings = { ratePerSecond: 0, burst: 0 };
    const port = { accept: () => throttle.admit(1, 2), reject: () => {} };
    const throttle: Throttle = log.record(
      Throttle,
      settings,
      port,
      (given) => new Throttle(settings, given),
    );
    expect(() => throttle.admit(1, 1)).toThrow('had not returned');
  });

  it('of a policy that nobody knows cannot be replayed', () => {
    expect(() => policyNamed('Balancr')).toThrow('no policy is named');
    const strange = new Float64Array([5, 0, 1, 0]);
    expect(() => replayPolicies(strange, [])).toThrow('unknown policy');
  });

  it('lists methods that the classes really have', () => {
    const names = 'Balancer ConnectionQueue Drain HealthCheck KeepAlive Pool Retry Throttle';
    for (const name of names.split(' ')) {
      const policy = policyNamed(name);
      const made = policy.make({ burst: 1, ratePerSecond: 1 }, {});
      for (const input of policy.inputs) expect(typeof Reflect.get(made, input)).toBe('function');
      const methods = Object.getOwnPropertyNames(Object.getPrototypeOf(made));
      const others = methods.filter((one) => !policy.inputs.includes(one));
      expect(others.sort()).toEqual(['constructor', 'snapshot']);
    }
  });
});
