/**
 * HealthCheck: probes every target at an interval and counts results in a row (NLB user guide,
 * "Health checks for target groups": interval 30 s, healthy 5, unhealthy 2).
 *
 *   healthy ──unhealthyThreshold failures in a row──► unhealthy
 *           ◄──healthyThreshold successes in a row───
 *
 * Targets start healthy: an assumption, they were registered long before the run. Probes of
 * different targets are spread over the interval by a draw. A probe whose result is late does
 * not delay the next one. Budget: one wake-up for all targets, O(targets) when it fires.
 */
import type { HealthCheckSettings } from '../model/topology.ts';
import type { DrawPort, WakePort } from './contract.ts';
import { IntColumn } from './int-column.ts';

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
  #targets: number[] = [];
  readonly #nextProbe = new IntColumn();
  readonly #healthy = new IntColumn();
  /** Results in a row that speak against the present health. */
  readonly #against = new IntColumn();

  constructor(settings: HealthCheckSettings, port: HealthCheckPort) {
    this.#settings = settings;
    this.#port = port;
  }

  targetAdded(now: number, target: number): void {
    if (this.#targets.includes(target)) return;
    this.#targets.push(target);
    this.#healthy.set(target, 1);
    this.#against.set(target, 0);
    this.#nextProbe.set(target, now + this.#port.draw(Math.max(1, this.#settings.interval)));
    this.#arm();
  }

  targetRemoved(_now: number, target: number): void {
    this.#targets = this.#targets.filter((one) => one !== target);
    this.#arm();
  }

  probeResult(_now: number, target: number, ok: number): void {
    if (!this.#targets.includes(target)) return;
    const healthy = this.#healthy.get(target);
    if (ok === healthy) {
      this.#against.set(target, 0);
      return;
    }
    this.#against.add(target, 1);
    const { healthyThreshold, unhealthyThreshold } = this.#settings;
    const needed = healthy === 1 ? unhealthyThreshold : healthyThreshold;
    if (this.#against.get(target) < needed) return;
    this.#against.set(target, 0);
    this.#healthy.set(target, ok);
    this.#port.health(target, ok);
  }

  wake(now: number): void {
    for (const target of this.#targets) {
      if (this.#nextProbe.get(target) > now) continue;
      this.#nextProbe.set(target, now + this.#settings.interval);
      this.#port.probe(target);
    }
    this.#arm();
  }

  configure(now: number, settings: HealthCheckSettings): void {
    this.#settings = settings;
    this.wake(now);
  }

  snapshot() {
    const healthy = this.#targets.filter((target) => this.#healthy.get(target) === 1).length;
    return { targets: this.#targets.length, healthy };
  }

  #arm(): void {
    let at = Number.POSITIVE_INFINITY;
    for (const target of this.#targets) at = Math.min(at, this.#nextProbe.get(target));
    this.#port.wakeAt(at);
  }
}
