/**
 * Balancer: which target gets a flow (L4) or a request (L7).
 *
 * Eligible are the targets that are healthy and not draining. If no registered target is
 * healthy, all of them are used: fail open (Elastic Load Balancing user guide, "Health checks
 * for your target groups"). How one is picked among them is an algorithm of its own file.
 *
 * Load is what `started` / `ended` told: open connections for an L4 balancer, requests in flight
 * for an L7 one. Budget: O(1) to O(targets) per choice, by algorithm; no allocation.
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
  readonly #healthy = new IntColumn();
  readonly #load = new IntColumn();
  #eligible: number[] = [];
  #turn = 0;

  constructor(settings: BalancerSettings, port: BalancerPort) {
    this.#settings = settings;
    this.#port = port;
  }

  /** Registers a target; it starts healthy (an assumption: targets were there long before). */
  targetAdded(_now: number, target: number): void {
    if (this.#targets.includes(target)) return;
    this.#targets.push(target);
    this.#healthy.set(target, 1);
    this.#choices();
  }

  /** Deregisters it: no new flows; old ones are the driver's and `Drain`'s business. */
  targetRemoved(_now: number, target: number): void {
    this.#targets = this.#targets.filter((one) => one !== target);
    this.#choices();
  }

  targetHealth(_now: number, target: number, healthy: number): void {
    this.#healthy.set(target, healthy);
    this.#choices();
  }

  choose(_now: number, flow: number, hash: number): void {
    if (this.#eligible.length === 0) {
      this.#port.noTarget(flow);
      return;
    }
    const pick = pickers[this.#settings.algorithm];
    const target = pick({
      eligible: this.#eligible,
      hash,
      turn: this.#turn,
      load: this.#loadOf,
      draw: this.#draw,
    });
    this.#turn += 1;
    this.#port.assign(flow, target);
  }

  started(_now: number, target: number): void {
    this.#load.add(target, 1);
  }

  ended(_now: number, target: number): void {
    this.#load.add(target, -1);
  }

  configure(_now: number, settings: BalancerSettings): void {
    this.#settings = settings;
  }

  snapshot() {
    const healthy = this.#targets.filter((target) => this.#healthy.get(target) === 1).length;
    return {
      targets: this.#targets.length,
      healthy,
      failOpen: this.#targets.length > 0 && healthy === 0,
    };
  }

  readonly #loadOf = (target: number): number => this.#load.get(target);
  readonly #draw = (bound: number): number => this.#port.draw(bound);

  #choices(): void {
    const healthy = this.#targets.filter((target) => this.#healthy.get(target) === 1);
    this.#eligible = healthy.length > 0 ? healthy : [...this.#targets];
  }
}
