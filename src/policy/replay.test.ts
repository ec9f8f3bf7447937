import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Balancer } from './balancer.ts';
import { policyNamed } from './catalog.ts';
import { ConnectionQueue } from './connection-queue.ts';
import type { PolicyClass } from './contract.ts';
import { HealthCheck } from './health-check.ts';
import { Pool } from './pool.ts';
import { options, PoolWorld, steps as poolSteps } from './pool-world.case.ts';
import { QueueWorld, steps as queueSteps, settingsOf } from './queue-world.case.ts';
import {
  type LoggedPolicy,
  OUTPUT,
  PolicyRecorder,
  recordInputs,
  recordingPort,
} from './recorder.ts';
import { type ReplayResult, replayPolicies } from './replay.ts';
import { Throttle } from './throttle.ts';

/** A recorder whose chunks are put together to one log. */
class Log {
  readonly recorder: PolicyRecorder;
  readonly #chunks: Float64Array[] = [];

  constructor() {
    this.recorder = new PolicyRecorder((chunk) => this.#chunks.push(chunk));
  }

  record<Port extends object, Policy extends object>(
    policyClass: PolicyClass,
    settings: unknown,
    port: Port,
    make: (port: Port) => Policy,
  ): Policy {
    const { recorder } = this;
    const name = `${policyClass.name}/${recorder.policies.length}`;
    const logged = recorder.add(name, policyClass.name, settings);
    const policy = make(recordingPort(port, policyClass, recorder, logged.instance));
    return recordInputs(policy, policyClass, recorder, logged);
  }

  /** The log and header as they are after a way over a disk. */
  read(): { log: Float64Array; policies: LoggedPolicy[] } {
    this.recorder.flush();
    const log = new Float64Array(this.#chunks.flatMap((chunk) => [...chunk]));
    return { log, policies: JSON.parse(JSON.stringify(this.recorder.policies)) };
  }

  replay(): ReplayResult {
    const { log, policies } = this.read();
    return replayPolicies(log, policies);
  }
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
