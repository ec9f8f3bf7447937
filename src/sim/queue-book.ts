/** The slots of one replica of a queue, as the simulator measures them by itself. */
import type { SlotTally } from '../measure/slot-tally.ts';
import { SlotState } from '../model/event.ts';
import type { Micros } from '../model/units.ts';
import type { Engine } from './engine/engine.ts';
import type { Exchanges } from './exchanges.ts';
import * as at from './exchanges.ts';
import type { Connections } from './net/connections.ts';
import * as of from './net/connections.ts';
import type { SlotBook } from './slot-book.ts';

export class QueueBook implements SlotBook {
  readonly #tally: SlotTally;
  readonly #engine: Engine;
  readonly #connections: Connections;
  readonly #exchanges: Exchanges;
  readonly #account: ReturnType<SlotTally['account']>;

  constructor(
    tally: SlotTally,
    engine: Engine,
    connections: Connections,
    exchanges: Exchanges,
    instance: number,
  ) {
    this.#tally = tally;
    this.#engine = engine;
    this.#connections = connections;
    this.#exchanges = exchanges;
    this.#account = tally.account(instance);
  }

  accepted(): void {}

  moved(connection: number, to: SlotState): void {
    const connections = this.#connections;
    const from = connections.get(connection, of.SLOT) as SlotState;
    this.#tally.moved(this.#account, from, to, this.#engine.now);
    const asked = connections.get(connection, of.ASKED);
    if (asked !== 0) {
      if (to === SlotState.active && !connections.has(connection, of.PASSED)) {
        connections.set(connection, of.PASSED);
        this.#waited(connection, asked);
      }
      if (to === SlotState.yielded) {
        if (this.#exchanges.has(asked, at.READ)) this.#tally.overcommit += 1;
        else connections.unset(connection, of.PASSED);
      }
    }
    this.#assess(connection, to);
  }

  asked(connection: number, exchange: number): void {
    const connections = this.#connections;
    connections.put(connection, of.ASKED, exchange);
    const slot = connections.get(connection, of.SLOT);
    if (slot === SlotState.active) connections.set(connection, of.PASSED);
    else connections.unset(connection, of.PASSED);
    this.#assess(connection, slot);
  }

  over(connection: number, gaveUp: boolean): void {
    const connections = this.#connections;
    const asked = connections.get(connection, of.ASKED);
    if (asked === 0) return;
    if (gaveUp && !connections.has(connection, of.PASSED)) this.#waited(connection, asked);
    connections.put(connection, of.ASKED, 0);
    this.#assess(connection, connections.get(connection, of.SLOT));
  }

  /** At the strike: requests that wait still are judged by their wait so far. */
  strike(connection: number): void {
    const asked = this.#connections.get(connection, of.ASKED);
    if (asked !== 0 && !this.#connections.has(connection, of.PASSED)) {
      this.#waited(connection, asked);
    }
  }

  #waited(connection: number, exchange: number): void {
    const since: Micros = this.#exchanges.getTime(exchange, at.SENT_AT);
    if (this.#connections.has(connection, of.STARVED)) return;
    if (this.#engine.now - since <= this.#tally.starvedAfter) return;
    this.#connections.set(connection, of.STARVED);
    this.#tally.starvedConnections += 1;
  }

  #assess(connection: number, slot: number): void {
    const connections = this.#connections;
    const flags = connections.get(connection, of.FLAGS);
    const hasRequest = connections.get(connection, of.ASKED) !== 0;
    const isBusy = hasRequest && slot === SlotState.active;
    const isQueued = slot === SlotState.held || slot === SlotState.yielded;
    const isWaiting = hasRequest && isQueued && (flags & of.PASSED) === 0;
    const busy = isBusy ? of.BUSY : 0;
    const waiting = isWaiting ? of.WAITING : 0;
    const changed = (flags ^ (busy | waiting)) & (of.BUSY | of.WAITING);
    if (changed === 0) return;
    connections.put(connection, of.FLAGS, flags ^ changed);
    const busier = (changed & of.BUSY) === 0 ? 0 : isBusy ? 1 : -1;
    const more = (changed & of.WAITING) === 0 ? 0 : isWaiting ? 1 : -1;
    this.#tally.changed(this.#account, busier, more, this.#engine.now);
  }
}
