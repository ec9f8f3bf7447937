/**
 * The settings of many pools: those of a hop's replica are the same object, and so are noted once,
 * with nothing left out, so that all have the same shape.
 */
import type { PoolSettings, Reuse } from '../model/topology.ts';

export interface PoolOptions extends PoolSettings {
  /** Idle connections are not closed below this number. */
  readonly minimum?: number;
  /** A waiter is rejected after this (µs); 0 or absent = it waits for ever. */
  readonly acquireTimeout?: number;
  /** Idle connections are looked at only this often (µs); 0 or absent = exactly on time. */
  readonly evictEvery?: number;
}

export class PoolRules {
  readonly given: PoolOptions;
  readonly connectionsMax: number;
  readonly waitersMax: number;
  readonly idleTimeout: number;
  readonly requestsPerConnectionMax: number;
  readonly reuse: Reuse;
  readonly minimum: number;
  readonly acquireTimeout: number;
  readonly evictEvery: number;
  /** How many pools have them. */
  pools = 0;

  constructor(given: PoolOptions) {
    this.given = given;
    this.connectionsMax = given.connectionsMax;
    this.waitersMax = given.waitersMax;
    this.idleTimeout = given.idleTimeout;
    this.requestsPerConnectionMax = given.requestsPerConnectionMax;
    this.reuse = given.reuse;
    this.minimum = given.minimum ?? 0;
    this.acquireTimeout = given.acquireTimeout ?? 0;
    this.evictEvery = given.evictEvery ?? 0;
  }
}

export class PoolRulebook {
  /** By index. */
  readonly all: PoolRules[] = [];
  readonly #indexes = new Map<PoolOptions, number>();
  readonly #free: number[] = [];

  /** One pool more has these settings: their index. */
  take(given: PoolOptions): number {
    const index = this.#indexes.get(given) ?? this.#add(given);
    this.all[index]!.pools += 1;
    return index;
  }

  /** One pool less has the settings of this index. */
  give(index: number): void {
    const rules = this.all[index]!;
    rules.pools -= 1;
    if (rules.pools > 0) return;
    this.#indexes.delete(rules.given);
    this.#free.push(index);
  }

  #add(given: PoolOptions): number {
    const index = this.#free.pop() ?? this.all.length;
    this.all[index] = new PoolRules(given);
    this.#indexes.set(given, index);
    return index;
  }
}
