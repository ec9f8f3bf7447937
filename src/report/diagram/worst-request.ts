/**
 * The request that a diagram should show: the one that took longest. Of those that took nearly
 * as long, one that its client had sent others before, so that their connections are seen too.
 */
import type { ExchangeRow } from '../../measure/rows.ts';
import type { RunPlan } from '../../model/run.ts';
import type { Topology } from '../../model/topology.ts';
import type { Micros } from '../../model/units.ts';

/** Earlier requests of the same client that are drawn before it. */
const BEFORE = 2;
/** At least this share of the longest time counts as nearly as long. */
const NEARLY = 0.9;

export interface Chosen {
  /** As `--client` takes it. */
  readonly client: string;
  readonly requests: readonly [number, number];
  readonly took: Micros;
  readonly startedAt: Micros;
}

export class WorstRequest {
  readonly #links: ReadonlySet<number>;
  readonly #until: Micros;
  #longest: Chosen | null = null;
  #withOthers: Chosen | null = null;

  constructor(topology: Topology, plan: RunPlan, until: Micros) {
    const clients = topology.hops.filter((hop) => hop.kind === 'clients').map((hop) => hop.name);
    const own = plan.links.filter((link) => clients.includes(link.downstream));
    this.#links = new Set(own.map((link) => link.index));
    this.#until = until;
  }

  take(rows: readonly ExchangeRow[]): void {
    for (const row of rows) {
      if (!this.#links.has(row.link)) continue;
      const known = row.clientGroup !== null && row.client !== null;
      const request = (known ? row.request : null) ?? row.ordinal;
      const chosen: Chosen = {
        client: known ? `${row.clientGroup}/${row.client}` : String(row.connection),
        requests: [Math.max(1, request - BEFORE), request],
        took: (row.endedAt ?? this.#until) - row.startedAt,
        startedAt: row.startedAt,
      };
      this.#longest = longer(this.#longest, chosen);
      if (request > BEFORE) this.#withOthers = longer(this.#withOthers, chosen);
    }
  }

  /** null where there was no request. */
  result(): Chosen | null {
    const least = (this.#longest?.took ?? 0) * NEARLY;
    const nearly = this.#withOthers !== null && this.#withOthers.took >= least;
    return nearly ? this.#withOthers : this.#longest;
  }
}

/** Of two that took equally long the one that began first, else the smaller name. */
function longer(one: Chosen | null, other: Chosen): Chosen {
  if (one === null || other.took !== one.took) {
    return one === null || other.took > one.took ? other : one;
  }
  if (other.startedAt !== one.startedAt) return other.startedAt < one.startedAt ? other : one;
  return other.client < one.client ? other : one;
}
