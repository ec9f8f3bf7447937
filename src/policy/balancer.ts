/**
 * Balancer: which target gets a flow (L4) or a request (L7).
 *
 * Eligible are the targets that are healthy and not draining. If no registered target is
 * healthy, all of them are used: fail open (Elastic Load Balancing user guide, "Health checks
 * for your target groups"). How one is picked among them is an algorithm of its own file.
 *
 * Load is what `started` / `ended` told: open connections for an L4 balancer, requests in flight
 * for an L7 one. Health is kept while a target is deregistered, so that one that comes back
 * unhealthy is not used before the health check says so.
 *
 *   targetAdded ──► registered ⇄ (healthy, unhealthy) ──targetRemoved──► draining: no new flows
 *
 * Left out: zones (an NLB is the same as this with cross-zone balancing on), slow start, weights.
 * Budget: O(1) to O(targets) per choice, by algorithm; no allocation.
 */
import type { BalancerAlgorithm } from '../model/topology.ts';
import { pickers } from './balancers/registry.ts';
import type { DrawPort } from './contract.ts';
import { IntColumn } from './int-column.ts';

export interface BalancerPort extends DrawPort {
  assign(flow: number, target: number): void;
  /** There is no registered target at all. */
  noTarget(flow: number): void;
}

export interface BalancerSettings {
  readonly algorithm: BalancerAlgorithm;
}

/** What an algorithm may look at. `eligible` is never empty, in order of registration. */
export interface Candidates {
  readonly eligible: readonly number[];
  /** The flow's, an unsigned 32-bit integer. */
  readonly hash: number;
  /** Choices made so far. */
  readonly turn: number;
  load(target: number): number;
  draw(bound: number): number;
}

export type Picker = (candidates: Candidates) => number;

export class Balancer {
  static readonly inputs = [
    'targetAdded',
    'targetRemoved',
    'targetHealth',
    'choose',
    'started',
    'ended',
    'configure',
  ] as const;
  static readonly outputs = ['assign', 'noTarget', 'draw'] as const;

  #settings: BalancerSettings;
  readonly #port: BalancerPort;
  /** Registered targets in order of registration. */
  #targets: number[] = [];
  /** 1 = unhealthy. */
  readonly #unhealthy = new IntColumn();
  readonly #load = new IntColumn();
  /** One object for all choices. */
  readonly #candidates = {
    eligible: [] as readonly number[],
    hash: 0,
    turn: 0,
    load: (target: number): number => this.#load.get(target),
    draw: (bound: number): number => this.#port.draw(bound),
  } satisfies Candidates;

  constructor(settings: BalancerSettings, port: BalancerPort) {
    this.#settings = settings;
    this.#port = port;
  }

  /** Registers a target; it starts healthy (an assumption: targets were there long before). */
  targetAdded(_now: number, target: number): void {
    if (this.#targets.includes(target)) return;
    this.#targets.push(target);
    this.#choices();
  }

  /** Deregisters it: no new flows; old ones are the driver's and `Drain`'s business. */
  targetRemoved(_now: number, target: number): void {
    this.#targets = this.#targets.filter((one) => one !== target);
    this.#choices();
  }

  targetHealth(_now: number, target: number, healthy: number): void {
    this.#unhealthy.set(target, 1 - healthy);
    this.#choices();
  }

  /** `hash` is an unsigned 32-bit integer, which only flow-hash looks at. */
  choose(_now: number, flow: number, hash: number): void {
    const candidates = this.#candidates;
    if (candidates.eligible.length === 0) {
      this.#port.noTarget(flow);
      return;
    }
    candidates.hash = hash;
    const target = pickers[this.#settings.algorithm](candidates);
    candidates.turn += 1;
    this.#port.assign(flow, target);
  }

  /** The target has one more flow or request; the driver says so, since a connect may fail. */
  started(_now: number, target: number): void {
    this.#load.add(target, 1);
  }

  ended(_now: number, target: number): void {
    if (this.#load.get(target) === 0) throw new Error(`target ${target} has nothing to end`);
    this.#load.add(target, -1);
  }

  configure(_now: number, settings: BalancerSettings): void {
    this.#settings = settings;
  }

  snapshot() {
    const healthy = this.#healthyTargets().length;
    return {
      targets: this.#targets.length,
      healthy,
      failOpen: this.#targets.length > 0 && healthy === 0,
    };
  }

  #healthyTargets(): number[] {
    return this.#targets.filter((target) => this.#unhealthy.get(target) === 0);
  }

  #choices(): void {
    const healthy = this.#healthyTargets();
    this.#candidates.eligible = healthy.length > 0 ? healthy : [...this.#targets];
  }
}
