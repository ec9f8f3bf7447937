/**
 * The targets of a balancer: the shared `Balancer`, `HealthCheck` and `Drain` policies on real
 * probes. Targets are numbered by their place in the link's list of endpoints.
 *
 *   probes ──► HealthCheck ──health──► Balancer ◄── deregister ── Drain ──closeFlows──► driver
 */
import { EventKind } from '../../model/event.ts';
import type { Endpoint } from '../../model/run.ts';
import type {
  Action,
  BalancerAlgorithm,
  L4BalancerHop,
  L7BalancerHop,
} from '../../model/topology.ts';
import { Balancer } from '../../policy/balancer.ts';
import { Drain } from '../../policy/drain.ts';
import { HealthCheck } from '../../policy/health-check.ts';
import { WakeTimer } from '../runtime/clock.ts';
import type { HopContext } from '../runtime/context.ts';
import { probe } from './probe.ts';

export interface TargetsOptions {
  readonly algorithm: BalancerAlgorithm;
  /** The deregistration delay is over: close what is left to that target (its instance). */
  readonly closeFlows: (instance: number) => void;
}

export class Targets {
  readonly #ctx: HopContext<L4BalancerHop | L7BalancerHop>;
  readonly #options: TargetsOptions;
  readonly #endpoints: readonly Endpoint[];
  readonly #balancer: Balancer;
  readonly #health: HealthCheck | null;
  readonly #drain: Drain;
  readonly #timers: WakeTimer[] = [];
  /** When each deregistered target comes back. */
  readonly #back = new Map<number, WakeTimer>();
  #chosen = -1;
  #stopped = false;

  constructor(ctx: HopContext<L4BalancerHop | L7BalancerHop>, options: TargetsOptions) {
    if (ctx.outgoing === null) throw new Error(`${ctx.hop.name}: a balancer needs an upstream`);
    this.#ctx = ctx;
    this.#options = options;
    this.#endpoints = ctx.targets(ctx.outgoing);
    this.#balancer = this.#makeBalancer();
    this.#drain = this.#makeDrain();
    this.#health = ctx.alive === null ? null : this.#makeHealth();
    const now = ctx.clock.now();
    this.#endpoints.forEach((_endpoint, target) => {
      this.#balancer.targetAdded(now, target);
    });
  }

  /** Health checks begin. */
  begin(): void {
    const now = this.#ctx.clock.now();
    this.#endpoints.forEach((_endpoint, target) => {
      this.#health?.targetAdded(now, target);
    });
  }

  /** Picks a target for a flow or request and counts it as its load; null if there is none. */
  choose(flow: number, hash: number): Endpoint | null {
    const now = this.#ctx.clock.now();
    this.#chosen = -1;
    this.#balancer.choose(now, flow, hash);
    if (this.#chosen === -1) return null;
    this.#balancer.started(now, this.#chosen);
    this.#drain.flowOpened(now, this.#chosen);
    return this.#endpoints[this.#chosen] ?? null;
  }

  /** A flow or request to that instance is over. */
  ended(instance: number): void {
    const target = this.#endpoints.findIndex((one) => one.instance === instance);
    if (target === -1) return;
    const now = this.#ctx.clock.now();
    this.#balancer.ended(now, target);
    this.#drain.flowClosed(now, target);
  }

  /** Deregisters a host for a while. */
  apply(action: Action): boolean {
    if (action.action !== 'deregister') return false;
    const host = `${action.hosts}#${action.replica}`;
    const { instances } = this.#ctx.plan;
    const target = this.#endpoints.findIndex((one) => instances[one.instance]?.host === host);
    if (target === -1) return false;
    const { clock } = this.#ctx;
    this.#balancer.targetRemoved(clock.now(), target);
    this.#drain.begin(clock.now(), target);
    // Deregistered again before it is back: the later return counts.
    this.#back.get(target)?.cancel();
    const back = new WakeTimer(clock, (now) => {
      this.#back.delete(target);
      this.#drain.cancel(now, target);
      this.#balancer.targetAdded(now, target);
    });
    this.#back.set(target, back);
    back.wakeAt(clock.now() + action.lasts);
    return true;
  }

  stop(): void {
    this.#stopped = true;
    for (const timer of [...this.#timers, ...this.#back.values()]) timer.cancel();
  }

  #makeBalancer(): Balancer {
    const { tap, hop, instance, random } = this.#ctx;
    const stream = random('balancer');
    const settings = { algorithm: this.#options.algorithm };
    const port = {
      assign: (_flow: number, target: number) => {
        this.#chosen = target;
      },
      noTarget: () => {},
      draw: (bound: number) => stream.below(bound),
    };
    const name = `${hop.name}/${instance.replica}/balancer`;
    return tap.create(name, Balancer, settings, port, (given) => new Balancer(settings, given));
  }

  #makeDrain(): Drain {
    const { tap, hop, instance, clock } = this.#ctx;
    const timer = new WakeTimer(clock, (now) => this.#drain.wake(now));
    this.#timers.push(timer);
    const settings = { deregistrationDelay: hop.deregistrationDelay };
    const port = {
      closeFlows: (target: number) => this.#options.closeFlows(this.#instanceOf(target)),
      drained: () => {},
      wakeAt: (at: number) => timer.wakeAt(at),
    };
    const name = `${hop.name}/${instance.replica}/drain`;
    return tap.create(name, Drain, settings, port, (given) => new Drain(settings, given));
  }

  #makeHealth(): HealthCheck {
    const { tap, hop, instance, clock, random } = this.#ctx;
    const stream = random('health-check');
    const timer = new WakeTimer(clock, (now) => this.#health?.wake(now));
    this.#timers.push(timer);
    const settings = hop.healthCheck;
    const port = {
      probe: (target: number) => this.#probe(target),
      health: (target: number, healthy: number) => this.#changed(target, healthy),
      wakeAt: (at: number) => timer.wakeAt(at),
      draw: (bound: number) => stream.below(Math.max(1, Math.min(bound, 2 ** 32))),
    };
    const name = `${hop.name}/${instance.replica}/health-check`;
    return tap.create(
      name,
      HealthCheck,
      settings,
      port,
      (given) => new HealthCheck(settings, given),
    );
  }

  #probe(target: number): void {
    const { alive, ends, clock, hop, targets } = this.#ctx;
    if (alive === null) return;
    const endpoint = this.#aliveEndpoint(targets(alive), target);
    if (endpoint === null) return;
    const { path, timeout } = hop.healthCheck;
    probe({ ends, clock, link: alive, path, timeout }, endpoint, (ok) => {
      // Probes that our own stop cuts short say nothing about their target.
      if (!this.#stopped) this.#health?.probeResult(clock.now(), target, ok ? 1 : 0);
    });
  }

  /** The alive-check listener on the same host as the target. */
  #aliveEndpoint(alive: readonly Endpoint[], target: number): Endpoint | null {
    const { instances } = this.#ctx.plan;
    const host = instances[this.#instanceOf(target)]?.host ?? null;
    if (host === null) return alive[target] ?? alive[0] ?? null;
    return alive.find((one) => instances[one.instance]?.host === host) ?? null;
  }

  #changed(target: number, healthy: number): void {
    const { clock, events, instance, log } = this.#ctx;
    const now = clock.now();
    this.#balancer.targetHealth(now, target, healthy);
    events.write(now, EventKind.health, instance.index, 0, 0, this.#instanceOf(target), healthy, 0);
    log(`target ${target} is ${healthy === 1 ? 'healthy' : 'unhealthy'}`);
  }

  #instanceOf(target: number): number {
    return this.#endpoints[target]?.instance ?? -1;
  }
}
