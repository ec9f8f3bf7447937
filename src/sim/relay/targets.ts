/**
 * The targets of a balancer: the shared `Balancer`, `HealthCheck` and `Drain` policies, with
 * probes on simulated connections. Targets are numbered by their place in the link's list.
 */
import { EventKind } from '../../model/event.ts';
import type { Instance } from '../../model/run.ts';
import type { Action, L4BalancerHop, L7BalancerHop } from '../../model/topology.ts';
import { Balancer } from '../../policy/balancer.ts';
import { Drain } from '../../policy/drain.ts';
import { HealthCheck } from '../../policy/health-check.ts';
import type { Actor } from '../engine/engine.ts';
import type { Listener } from '../net/place.ts';
import type { World } from '../world.ts';
import { Probe } from './probe.ts';

export interface TargetsPlan {
  readonly world: World;
  readonly instance: Instance;
  readonly hop: L4BalancerHop | L7BalancerHop;
  /** The deregistration delay is over: close what is left to that target. */
  readonly closeFlows: (target: number) => void;
}

export class Targets implements Actor {
  readonly listeners: readonly Listener[];
  readonly #plan: TargetsPlan;
  readonly #balancer: Balancer;
  readonly #drain: Drain;
  readonly #health: HealthCheck | null;
  /** When each deregistered target comes back. */
  readonly #back = new Map<number, number>();
  #chosen = -1;
  /** Flows to be closed once the policy has returned. */
  readonly #toClose: number[] = [];

  constructor(plan: TargetsPlan) {
    const { world, instance, hop } = plan;
    const link = world.outgoing(hop);
    this.#plan = plan;
    this.listeners = link === null ? [] : world.targets(instance, link);
    const balancerDraw = world.random(instance, 'balancer');
    const name = `${hop.name}/${instance.replica}`;
    this.#balancer = world.policy(`${name}/balancer`, Balancer, hop, {
      assign: (_flow, target) => {
        this.#chosen = target;
      },
      noTarget: () => {},
      draw: (bound) => balancerDraw.below(bound),
    });
    const wakeDrainAt = world.wakes.add((now) => {
      this.#drain.wake(now);
      for (const target of this.#toClose.splice(0)) plan.closeFlows(target);
    });
    this.#drain = world.policy(`${name}/drain`, Drain, hop, {
      closeFlows: (target) => {
        this.#toClose.push(target);
      },
      drained: () => {},
      wakeAt: wakeDrainAt,
    });
    this.#health = world.alive(hop) === null ? null : this.#makeHealth();
    const { now } = world.engine;
    for (const target of this.listeners.keys()) {
      this.#balancer.targetAdded(now, target);
      this.#health?.targetAdded(now, target);
    }
  }

  /** Picks a target and counts what goes there as its load; -1 when there is none. */
  choose(flow: number, hash: number): number {
    const { now } = this.#plan.world.engine;
    this.#chosen = -1;
    this.#balancer.choose(now, flow, hash);
    const target = this.#chosen;
    if (target === -1) return -1;
    this.#balancer.started(now, target);
    this.#drain.flowOpened(now, target);
    return target;
  }

  ended(target: number): void {
    const { now } = this.#plan.world.engine;
    this.#balancer.ended(now, target);
    this.#drain.flowClosed(now, target);
  }

  /** Deregisters a host for a while. */
  apply(action: Action): boolean {
    if (action.action !== 'deregister') return false;
    const { world } = this.#plan;
    const host = `${action.hosts}#${action.replica}`;
    const target = this.listeners.findIndex((one) => world.instanceOf(one).host === host);
    if (target === -1) return false;
    const { engine } = world;
    this.#balancer.targetRemoved(engine.now, target);
    this.#drain.begin(engine.now, target);
    // Deregistered again before it is back: the later return counts.
    this.#back.set(target, engine.now + action.lasts);
    engine.at(engine.now + action.lasts, this, target);
    return true;
  }

  /** A target comes back. */
  fire(target: number): void {
    const { now } = this.#plan.world.engine;
    if (this.#back.get(target) !== now) return;
    this.#back.delete(target);
    this.#drain.cancel(now, target);
    this.#balancer.targetAdded(now, target);
  }

  #makeHealth(): HealthCheck {
    const { world, instance, hop } = this.#plan;
    const draw = world.random(instance, 'health-check');
    const probes: number[] = [];
    const wakeAt = world.wakes.add((now) => {
      health.wake(now);
      for (const target of probes.splice(0)) this.#probe(health, target);
    });
    const name = `${hop.name}/${instance.replica}/health-check`;
    const health: HealthCheck = world.policy(name, HealthCheck, hop.healthCheck, {
      probe: (target) => {
        probes.push(target);
      },
      health: (target, healthy) => this.#changed(target, healthy),
      wakeAt,
      draw: (bound) => draw.below(Math.max(1, Math.min(bound, 4_294_967_296))),
    });
    return health;
  }

  #probe(health: HealthCheck, target: number): void {
    const { world, instance, hop } = this.#plan;
    const alive = world.alive(hop);
    if (alive === null) return;
    const listener = this.#aliveListener(world.targets(instance, alive), target);
    if (listener === null) return;
    const { timeout } = hop.healthCheck;
    new Probe(world, world.place(instance), timeout, (ok) =>
      health.probeResult(world.engine.now, target, ok ? 1 : 0),
    ).begin(listener);
  }

  /** The alive-check listener on the same host as the target. */
  #aliveListener(all: readonly Listener[], target: number): Listener | null {
    const { world } = this.#plan;
    const listener = this.listeners[target];
    const host = listener === undefined ? null : world.instanceOf(listener).host;
    if (host === null) return all[target] ?? all[0] ?? null;
    return all.find((one) => world.instanceOf(one).host === host) ?? null;
  }

  #changed(target: number, healthy: number): void {
    const { world, instance } = this.#plan;
    const { now } = world.engine;
    this.#balancer.targetHealth(now, target, healthy);
    const of = this.listeners[target]?.place.instance ?? 0;
    world.meters?.health.changed(instance.index, of, healthy);
    world.recorder?.write(now, EventKind.health, instance.index, 0, 0, of, healthy, 0);
  }
}
