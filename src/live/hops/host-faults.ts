/**
 * Faults that any accepting hop can suffer: its host goes down (listeners closed, connections
 * reset, back after a while) and connections reset at random.
 */
import type { Action } from '../../model/topology.ts';
import { WakeTimer } from '../runtime/clock.ts';
import type { HopContext } from '../runtime/context.ts';

/** A listener that can go away for a while and come back at the same place. */
export interface Suspendable {
  suspend(): void;
  restore(): void;
  close(): Promise<void>;
}

export class HostFaults {
  readonly #ctx: HopContext;
  readonly #listeners: readonly Suspendable[];
  readonly #restore: WakeTimer;

  constructor(ctx: HopContext, listeners: readonly Suspendable[]) {
    this.#ctx = ctx;
    this.#listeners = listeners;
    this.#restore = new WakeTimer(ctx.clock, () => {
      for (const listener of this.#listeners) listener.restore();
    });
  }

  apply(action: Action): boolean {
    const { instance, ends, clock, hop, random } = this.#ctx;
    if (action.action === 'host-down') {
      if (instance.host !== `${action.hosts}#${action.replica}`) return false;
      // First the resets: node:http closes idle connections when it stops listening.
      for (const end of [...ends.live]) end.reset('local_rst');
      for (const listener of this.#listeners) listener.suspend();
      this.#restore.wakeAt(clock.now() + action.lasts);
      return true;
    }
    if (action.action === 'reset-connections' && action.hop === hop.name) {
      const stream = random('reset-connections');
      for (const end of [...ends.live]) {
        if (end.acceptor && stream.unit() < action.share) end.reset('local_rst');
      }
      return true;
    }
    return false;
  }

  /** Closes listeners and every connection with cause `shutdown`; resolves when all are gone. */
  async stop(): Promise<void> {
    this.#restore.cancel();
    const closing = this.#listeners.map((listener) => listener.close());
    await this.#ctx.ends.closeAll();
    await Promise.all(closing);
  }
}
