/** The real programs of one run: started, killed on purpose and started again, stopped. */
import type { Endpoint } from '../../model/run.ts';
import type { Action, Hop } from '../../model/topology.ts';
import type { ForeignContext, ForeignServer } from '../foreign/server.ts';
import { startForeign } from '../foreign/start.ts';

export class ForeignServers {
  readonly #servers = new Map<string, ForeignServer>();
  readonly #onDeath: (reason: string) => void;

  /** @param onDeath one has ended that should not have, or did not come back */
  constructor(onDeath: (reason: string) => void) {
    this.#onDeath = onDeath;
  }

  /** Name and session of each, for its CPU time. */
  get sessions(): { readonly name: string; readonly session: number | null }[] {
    return [...this.#servers].map(([name, { session }]) => ({ name, session }));
  }

  async start(hop: Hop, context: ForeignContext): Promise<readonly Endpoint[]> {
    const server = await startForeign(hop, context);
    this.#servers.set(hop.name, server);
    void server.died.then(this.#onDeath);
    return server.endpoints;
  }

  /** True if the action is for one of these programs. */
  apply(action: Action): boolean {
    if (action.action !== 'kill') return false;
    const restart = this.#servers.get(action.hop)?.restart ?? null;
    if (restart === null) return false;
    void restart(action.lasts / 1_000).then((failure) => {
      if (failure !== null) this.#onDeath(`${action.hop} did not come back: ${failure}`);
    });
    return true;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#servers.values()].map((server) => server.stop()));
  }
}
