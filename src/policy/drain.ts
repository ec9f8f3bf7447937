/**
 * Drain: what happens to a deregistered target's old flows (Elastic Load Balancing,
 * "Deregistration delay": 300 s). They go on until they end or the delay is over; then the rest
 * is closed.
 *
 *   serving ──begin──► draining ──last flow closed, or delay over──► drained
 *      ▲                  │
 *      └─────cancel───────┘
 *
 * New flows are the balancer's business, which gives a deregistered target none. After
 * `closeFlows` the driver still reports each flow's end with `flowClosed`.
 * Budget: O(1) per flow, O(draining targets) when one begins or ends.
 */
import type { Micros } from '../model/units.ts';
import type { WakePort } from './contract.ts';
import { IntColumn } from './int-column.ts';
import { WakeUp } from './wake-up.ts';

export interface DrainSettings {
  readonly deregistrationDelay: Micros;
}

export interface DrainPort extends WakePort {
  /** The delay is over: close what is left of the target's flows, cause `drain`. */
  closeFlows(target: number): void;
  /** Nothing of it is left, or all of it has just been closed. */
  drained(target: number): void;
}

export class Drain {
  static readonly inputs = [
    'begin',
    'cancel',
    'flowOpened',
    'flowClosed',
    'wake',
    'configure',
  ] as const;
  static readonly outputs = ['closeFlows', 'drained', 'wakeAt'] as const;

  #settings: DrainSettings;
  readonly #port: DrainPort;
  readonly #wakeUp: WakeUp;
  readonly #flows = new IntColumn();
  readonly #until = new IntColumn();
  #draining: number[] = [];

  constructor(settings: DrainSettings, port: DrainPort) {
    this.#settings = settings;
    this.#port = port;
    this.#wakeUp = new WakeUp(port);
  }

  /** The target is deregistered. */
  begin(now: number, target: number): void {
    if (this.#draining.includes(target)) return;
    if (this.#flows.get(target) === 0) {
      this.#port.drained(target);
      return;
    }
    this.#until.set(target, now + this.#settings.deregistrationDelay);
    this.#draining.push(target);
    this.#arm();
  }

  /** The target is registered again: its old flows may stay. */
  cancel(_now: number, target: number): void {
    this.#draining = this.#draining.filter((one) => one !== target);
    this.#arm();
  }

  flowOpened(_now: number, target: number): void {
    this.#flows.add(target, 1);
  }

  flowClosed(_now: number, target: number): void {
    if (this.#flows.get(target) === 0) throw new Error(`target ${target} has no flow to close`);
    this.#flows.add(target, -1);
    if (this.#flows.get(target) > 0 || !this.#draining.includes(target)) return;
    this.#end(target);
    this.#arm();
  }

  wake(now: number): void {
    this.#wakeUp.fired();
    const over = this.#draining.filter((target) => this.#until.get(target) <= now);
    for (const target of over) {
      this.#port.closeFlows(target);
      this.#end(target);
    }
    this.#arm();
  }

  /** A new delay counts for targets that begin to drain after it. */
  configure(_now: number, settings: DrainSettings): void {
    this.#settings = settings;
  }

  snapshot() {
    return { draining: this.#draining.length };
  }

  #end(target: number): void {
    this.#draining = this.#draining.filter((one) => one !== target);
    this.#port.drained(target);
  }

  #arm(): void {
    let at = Number.POSITIVE_INFINITY;
    for (const target of this.#draining) at = Math.min(at, this.#until.get(target));
    this.#wakeUp.ask(at);
  }
}
