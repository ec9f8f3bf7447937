/**
 * A group of clients: the load. The workload says when requests are intended (closed users or
 * open arrivals), the group carries them out (attempts, retries, outcomes), and each client
 * keeps connections as its habit is (shared `Pool` policy): six of iOS, five of OkHttp for five
 * minutes, one of an embedded device, one of JMeter that is dropped at each iteration.
 *
 *   Workload ──issue──► LoadGroup ──attempt──► LoadClient ──► LoadConnection ──► socket
 *      ▲──────done──────────┘ Retry               Pool
 *
 * JMeter counts the requests of a thread, not of a connection. Here an iteration is a cap on
 * requests per connection, which is the same as long as nobody else closes connections.
 */
import type { Endpoint } from '../../model/run.ts';
import type { Action, ClientsHop, PoolSettings } from '../../model/topology.ts';
import type { Micros } from '../../model/units.ts';
import type { RandomStream } from '../../random/stream.ts';
import { ClosedUsers } from '../load/closed-users.ts';
import { LOAD_LIMITS, LoadGroup, type LoadLimits } from '../load/group.ts';
import { OpenArrivals } from '../load/open-arrivals.ts';
import type { Issue, Workload } from '../load/workload.ts';
import type { HopContext, LiveHop } from '../runtime/context.ts';
import { setting } from './settings.ts';

export function createClients(
  ctx: HopContext<ClientsHop>,
  limits: LoadLimits = LOAD_LIMITS,
): LiveHop {
  return new Clients(ctx, limits);
}

class Clients implements LiveHop {
  readonly #ctx: HopContext<ClientsHop>;
  readonly #group: LoadGroup;
  readonly #workload: Workload;
  readonly #resets: RandomStream;
  #settings: ClientsHop;

  constructor(ctx: HopContext<ClientsHop>, limits: LoadLimits) {
    this.#ctx = ctx;
    this.#settings = ctx.hop;
    this.#resets = ctx.random('reset-connections');
    this.#group = new LoadGroup(ctx, poolOf(ctx.hop), limits);
    this.#workload = createWorkload(ctx, (client, intendedAt) =>
      this.#group.issue(client, intendedAt),
    );
    this.#group.onDone = (client, now) => this.#workload.done(client, now);
  }

  listen(): Promise<readonly Endpoint[]> {
    return Promise.resolve([]);
  }

  begin(): void {
    this.#workload.begin();
  }

  apply(action: Action): boolean {
    const { name } = this.#ctx.hop;
    switch (action.action) {
      case 'stop-reading':
        if (action.hop !== name) return false;
        this.#stopReading(action.share, action.lasts);
        return true;
      case 'reset-connections':
        if (action.hop !== name) return false;
        this.#resetConnections(action.share);
        return true;
      case 'set':
        return this.#workload.apply(action) || this.#configurePool(action);
      default:
        return false;
    }
  }

  endLoad(): void {
    this.#group.over = true;
    this.#workload.end();
    const { late, max, p99 } = this.#group.lateness;
    if (late === 0) return;
    const ms = (micros: Micros | null): string => ((micros ?? 0) / 1_000).toFixed(1);
    this.#ctx.log(
      `the load generator itself was late: ${late} requests by more than 10 ms ` +
        `(p99 ${ms(p99)} ms, max ${ms(max)} ms); latencies include that`,
    );
  }

  async stop(): Promise<void> {
    this.#workload.end();
    await this.#group.stop();
  }

  #configurePool(action: Action): boolean {
    const changed = setting(action, this.#settings);
    if (changed === null || changed.pool === this.#settings.pool) return false;
    this.#settings = changed;
    this.#group.configure(poolOf(changed));
    return true;
  }

  /** Our own RST on a share of the open connections. */
  #resetConnections(share: number): void {
    for (const end of [...this.#ctx.ends.live]) {
      if (end.open && this.#resets.unit() < share) end.reset('local_rst');
    }
  }

  #stopReading(share: number, lasts: Micros): void {
    const { deafness, clients, schedule } = this.#group;
    const chosen = deafness.begin(share, this.#ctx.hop.count);
    for (const client of chosen) clients.get(client)?.pause();
    schedule.at(this.#ctx.clock.now() + lasts, () => {
      for (const client of deafness.end(chosen)) clients.get(client)?.resume();
    });
  }
}

/** JMeter drops its connection at each iteration: a cap on requests per connection. */
function poolOf(hop: ClientsHop): PoolSettings {
  const { pool, requestsPerIteration } = hop;
  if (requestsPerIteration === 0) return pool;
  const cap = pool.requestsPerConnectionMax;
  const requestsPerConnectionMax =
    cap === 0 ? requestsPerIteration : Math.min(cap, requestsPerIteration);
  return { ...pool, requestsPerConnectionMax };
}

function createWorkload(ctx: HopContext<ClientsHop>, issue: Issue): Workload {
  const { workload } = ctx.hop;
  if (workload.kind === 'open') return new OpenArrivals(ctx, workload, issue);
  return new ClosedUsers(ctx, workload, issue);
}
