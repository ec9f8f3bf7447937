/**
 * What balancers believe of their targets: how many are unhealthy, per balancer and second.
 * Targets start healthy, as the health check policy has it.
 */
import type { RunInfo } from '../model/run.ts';
import type { Series, SeriesTable } from './series.ts';

interface Balancer {
  readonly unhealthy: Set<string>;
  readonly gauge: Series;
}

export class HealthMeter {
  readonly #balancers = new Map<string, Balancer>();
  readonly #hopOf: readonly string[];

  constructor(info: RunInfo, table: SeriesTable) {
    this.#hopOf = info.plan.instances.map((instance) => instance.hop);
    for (const link of info.plan.links) {
      if (link.purpose !== 'alive') continue;
      const gauge = table.column(`hop:${link.downstream}`, 'unhealthyTargets', 'gauge');
      this.#balancers.set(link.downstream, { unhealthy: new Set(), gauge });
    }
  }

  /** A balancer changed its mind about a target (its instance). */
  changed(instance: number, target: number, healthy: number): void {
    const balancer = this.#balancers.get(this.#hopOf[instance] ?? '');
    const name = `${instance}/${target}`;
    if (healthy === 1) balancer?.unhealthy.delete(name);
    else balancer?.unhealthy.add(name);
  }

  /** Reads the gauges at the end of a second. */
  read(index: number): void {
    for (const { unhealthy, gauge } of this.#balancers.values()) gauge.set(index, unhealthy.size);
  }
}
