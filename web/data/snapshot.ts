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
const CLOSING = 150_000;

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
  /** By connection, for this version of them: the head of its chain (-1 = not asked), its queue. */
  #chained = -1;
  #heads = new Int32Array(0);
  #queued = new Int32Array(0);
  /** By link: whether it ends at a queue, and whether what it carries has passed one. */
  readonly #isQueueLink: readonly boolean[];
  readonly #isBeyondQueue: readonly boolean[];

  constructor(story: Story) {
    this.#story = story;
    const { plan, topology } = story.face;
    this.links = plan.links.map(() => new Int32Array(STATES.length));
    const kinds = new Map(topology.hops.map((hop) => [hop.name, hop.kind]));
    this.#isQueueLink = plan.links.map((link) => kinds.get(link.upstream) === 'connection-queue');
    const beyond = (name: string): boolean => {
      if (kinds.get(name) === 'connection-queue') return true;
      if (kinds.get(name) !== 'l4-balancer') return false;
      return plan.links.some((link) => link.upstream === name && beyond(link.downstream));
    };
    this.#isBeyondQueue = plan.links.map((link) => beyond(link.downstream));
  }

  take(at: number, shutter: number): void {
    const { connections } = this.#story;
    if (this.#chained !== connections.version) {
      this.#chained = connections.version;
      if (this.#heads.length < connections.count) {
        this.#heads = new Int32Array(connections.count * 2);
        this.#queued = new Int32Array(connections.count * 2);
      }
      this.#heads.fill(-1);
    }
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
    const head = this.#headOf(index);
    const queued = this.#queued[index] ?? -1;
    const change = queued < 0 ? -1 : slots.find(connections.id.get(queued), this.at);
    const slot = change < 0 ? SlotState.none : slots.state.get(change);
    const noSlot = slot === SlotState.held || slot === SlotState.yielded;
    if (queued === index && change >= 0) this.cell[position] = slots.cell.get(change);
    const beyond = this.#isBeyondQueue[connections.link.get(index)] === true;
    const exchange = exchanges.at(connections.id.get(head), this.at);
    const ended = exchange < 0 ? Number.NEGATIVE_INFINITY : exchanges.endedAt.get(exchange);
    const inFlight = exchange >= 0 && (Number.isNaN(ended) || ended > this.at);
    // A request that was read goes on being served when its slot is taken back.
    const read = exchange >= 0 && exchanges.readAt.get(exchange) <= this.at;
    if (noSlot && !read && inFlight) return beyond ? State.idle : State.waiting;
    if (inFlight || ended > this.at - shutter) return State.active;
    return noSlot && queued === index ? State.held : State.idle;
  }

  /** Chains are gone through once for as long as no row changes them. */
  #headOf(index: number): number {
    const known = this.#heads[index] ?? -1;
    if (known >= 0) return known;
    const { connections } = this.#story;
    const head = connections.headOf(index);
    this.#heads[index] = head;
    this.#queued[index] = connections.atQueue(head, this.#isQueueLink);
    return head;
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
