/**
 * What stood at one time: every open connection with its state.
 *
 * A request may last a millisecond, and a picture as long as it is shown: like a camera's, the
 * picture has a *shutter*, and a connection counts as active if a request was in flight on it at
 * any time while that was open.
 */
import { SlotState } from '../../src/model/event.ts';
import type { Story } from './story.ts';

/** `held`: at a queue without a slot, and without a request; `waiting`: with one, unread. */
export const State = { idle: 0, active: 1, waiting: 2, held: 3, closing: 4 } as const;
export type State = (typeof State)[keyof typeof State];
export const STATES = ['idle', 'active', 'waiting', 'held', 'closing'] as const;

/** How long a pipe is still shown after its end. */
const CLOSING = 400_000;

export class Snapshot {
  at = 0;
  count = 0;
  /** Indexes of connections, and their states. */
  index = new Int32Array(1_024);
  state = new Uint8Array(1_024);
  /** Cell of the slot at a queue, -1 = none. */
  cell = new Int32Array(1_024);
  /** By link: how many are open, by state. */
  readonly links: Int32Array[];
  readonly #story: Story;
  readonly #afterQueue: readonly boolean[];

  constructor(story: Story) {
    this.#story = story;
    const { plan, topology } = story.face;
    this.links = plan.links.map(() => new Int32Array(STATES.length));
    const kinds = new Map(topology.hops.map((hop) => [hop.name, hop.kind]));
    // Beyond a queue a request has passed it, and cannot wait unread before it.
    const l4 = new Set(['connection-queue', 'l4-balancer']);
    const after = (name: string): boolean => {
      if (kinds.get(name) === 'connection-queue') return true;
      if (!l4.has(kinds.get(name) ?? '')) return false;
      return plan.links.some((link) => link.upstream === name && after(link.downstream));
    };
    this.#afterQueue = plan.links.map((link) => after(link.downstream));
  }

  take(at: number, shutter: number): void {
    const { connections } = this.#story;
    this.at = at;
    this.count = 0;
    for (const link of this.links) link.fill(0);
    const { openedAt, closedAt, lane } = connections;
    for (let index = 0; index < connections.count; index++) {
      const opened = openedAt.values[index] ?? Number.NaN;
      if (!(opened <= at) || lane.values[index] === -1) continue;
      const closed = closedAt.values[index] ?? Number.NaN;
      if (closed + CLOSING < at) continue;
      this.#add(index, closed <= at, shutter);
    }
  }

  #add(index: number, closing: boolean, shutter: number): void {
    const at = this.count;
    if (at === this.index.length) this.#grow();
    this.count += 1;
    this.index[at] = index;
    this.cell[at] = -1;
    const state = closing ? State.closing : this.#stateOf(index, at, shutter);
    this.state[at] = state;
    const link = this.links[this.#story.connections.link.get(index)];
    if (link !== undefined) link[state] = (link[state] ?? 0) + 1;
  }

  #stateOf(index: number, position: number, shutter: number): State {
    const { connections, exchanges, slots } = this.#story;
    const id = connections.id.get(index);
    const change = slots.find(id, this.at);
    const slot = change < 0 ? SlotState.none : slots.state.get(change);
    if (change >= 0) this.cell[position] = slots.cell.get(change);
    const noSlot = slot === SlotState.held || slot === SlotState.yielded;
    const head = connections.headOf(index);
    const exchange = exchanges.at(connections.id.get(head), this.at);
    if (exchange < 0) return noSlot ? State.held : State.idle;
    const ended = exchanges.endedAt.get(exchange);
    const inFlight = Number.isNaN(ended) || ended > this.at;
    const read = exchanges.readAt.get(exchange) <= this.at;
    const { acceptor } = connections;
    const unread = inFlight && !read && this.#isTold(acceptor.get(index));
    if (this.#afterQueue[connections.link.get(index)]) {
      if (!read) return State.idle;
    } else if (noSlot) return unread || inFlight ? State.waiting : State.held;
    else if (unread) return State.waiting;
    return inFlight || ended > this.at - shutter ? State.active : State.idle;
  }

  /** Whether that replica tells when it reads a request: foreign ones do not. */
  #isTold(instance: number): boolean {
    return (this.#story.face.plan.instances[instance]?.process ?? -1) >= 0;
  }

  #grow(): void {
    const length = this.index.length * 2;
    const grow = <T extends Int32Array | Uint8Array>(from: T, to: T): T => {
      to.set(from);
      return to;
    };
    this.index = grow(this.index, new Int32Array(length));
    this.cell = grow(this.cell, new Int32Array(length));
    this.state = grow(this.state, new Uint8Array(length));
  }
}
