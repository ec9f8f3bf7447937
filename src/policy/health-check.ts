/**
 * HealthCheck: probes every target at an interval and counts results in a row (NLB user guide,
 * "Health checks for target groups": interval 30 s, healthy 5, unhealthy 2).
 *
 *   healthy ──unhealthyThreshold failures in a row──► unhealthy
 *           ◄──healthyThreshold successes in a row───
 *
 * Targets start healthy: an assumption, they were registered long before the run (a new target
 * of an NLB is `initial` until it has passed). One that was removed and comes back keeps the
 * health that it had. Probes of different targets are spread over the interval by a draw; each
 * target keeps its own beat, a late wake-up does not shift it, and what was missed is not made
 * up for. A probe whose result is late does not delay the next one.
 *
 * Budget: one wake-up for all targets, O(targets) per input, at a rate of one per probe.
 */
import type { HealthCheckSettings } from '../model/topology.ts';
import type { DrawPort, WakePort } from './contract.ts';
import { IntColumn } from './int-column.ts';
import { WakeUp } from './wake-up.ts';

export interface HealthCheckPort extends WakePort, DrawPort {
  /** Probe it now; answer `probeResult`. */
  probe(target: number): void;
  /** Its health changed. */
  health(target: number, healthy: number): void;
}

export class HealthCheck {
  static readonly inputs = [
    'targetAdded',
    'targetRemoved',
    'probeResult',
    'wake',
    'configure',
  ] as const;
  static readonly outputs = ['probe', 'health', 'wakeAt', 'draw'] as const;

  #settings: HealthCheckSettings;
  readonly #port: HealthCheckPort;
  readonly #wakeUp: WakeUp;
  #targets: number[] = [];
  readonly #nextProbe = new IntColumn();
  /** 1 = unhealthy. */
  readonly #unhealthy = new IntColumn();
  /** Results in a row that speak against the present health. */
  readonly #against = new IntColumn();

  constructor(settings: HealthCheckSettings, port: HealthCheckPort) {
    this.#settings = settings;
    this.#port = port;
    this.#wakeUp = new WakeUp(port);
  }

  targetAdded(now: number, target: number): void {
    if (this.#targets.includes(target)) return;
    this.#targets.push(target);
    this.#against.set(target, 0);
    this.#nextProbe.set(target, now + this.#port.draw(this.#interval()));
    this.#arm();
  }

  targetRemoved(_now: number, target: number): void {
    this.#targets = this.#targets.filter((one) => one !== target);
    this.#arm();
  }

  /** A probe of the target passed (ok 1) or failed (0). */
  probeResult(_now: number, target: number, ok: number): void {
    if (!this.#targets.includes(target)) return;
    const healthy = 1 - this.#unhealthy.get(target);
    if (ok === healthy) {
      this.#against.set(target, 0);
      return;
    }
    this.#against.add(target, 1);
    const { healthyThreshold, unhealthyThreshold } = this.#settings;
    const needed = healthy === 1 ? unhealthyThreshold : healthyThreshold;
    if (this.#against.get(target) < needed) return;
    this.#against.set(target, 0);
    this.#unhealthy.set(target, 1 - ok);
    this.#port.health(target, ok);
  }

  wake(now: number): void {
    this.#wakeUp.fired();
    const interval = this.#interval();
    for (const target of this.#targets) {
      const due = this.#nextProbe.get(target);
      if (due > now) continue;
      const beats = 1 + Math.floor((now - due) / interval);
      this.#nextProbe.set(target, due + beats * interval);
      this.#port.probe(target);
    }
    this.#arm();
  }

  /** Of a shorter interval, nobody waits longer than one for the next probe. */
  configure(now: number, settings: HealthCheckSettings): void {
    this.#settings = settings;
    const latest = now + this.#interval();
    for (const target of this.#targets) {
      if (this.#nextProbe.get(target) > latest) this.#nextProbe.set(target, latest);
    }
    this.#arm();
  }

  snapshot() {
    const healthy = this.#targets.filter((target) => this.#unhealthy.get(target) === 0).length;
    return { targets: this.#targets.length, healthy };
  }

  /** At least 1 µs, so that time passes between two probes. */
  #interval(): number {
    return Math.max(1, this.#settings.interval);
  }

  #arm(): void {
    let at = Number.POSITIVE_INFINITY;
    for (const target of this.#targets) at = Math.min(at, this.#nextProbe.get(target));
    this.#wakeUp.ask(at);
  }
}
