/**
 * Slots of one connection queue (all replicas of the hop), as integrals over the load window that
 * are kept up at each change, so that a day costs as little memory as a second. Whoever follows
 * the connections tells what changed: `queue-meter.ts` by events, the simulator by itself.
 *
 * - slot time: connections in state active; busy: those of them with an exchange in flight.
 * - hoarded: slots active and not busy while another connection *of the same replica* waits
 *   with a request.
 *
 * Occupancy divides by the activeMax of the topology: a run that changes it while running must
 * be read with that in mind.
 */
import { SlotState } from '../model/event.ts';
import type { Micros } from '../model/units.ts';
import { MICROS_PER_SECOND } from '../model/units.ts';
import type { Series, SeriesTable } from './series.ts';
import type { QueueShape, RunShape } from './shape.ts';

const NEVER = -1;

/** What holds in one replica now, and since when. */
export class SlotAccount {
  active = 0;
  busy = 0;
  waiting = 0;
  settledAt: Micros = NEVER;
}

export class SlotTally {
  readonly shape: QueueShape;
  slotTime = 0;
  busyTime = 0;
  hoardedTime = 0;
  granted = 0;
  yielded = 0;
  overcommit = 0;
  starvedConnections = 0;
  zombieExchanges = 0;
  heldMax = 0;
  readonly #run: RunShape;
  readonly #table: SeriesTable;
  readonly #accounts = new Map<number, SlotAccount>();
  readonly #inState: [none: number, held: number, active: number, yielded: number] = [0, 0, 0, 0];
  readonly #gauges: readonly (readonly [Series, () => number])[];
  readonly #grants: Series;
  readonly #yields: Series;
  readonly #slotSeconds: Series;
  readonly #busySeconds: Series;
  readonly #hoardedSeconds: Series;

  constructor(shape: QueueShape, run: RunShape, table: SeriesTable) {
    this.shape = shape;
    this.#run = run;
    this.#table = table;
    const scope = `hop:${shape.hop}`;
    this.#gauges = [
      [table.column(scope, 'active', 'gauge'), () => this.#inState[SlotState.active]],
      [table.column(scope, 'held', 'gauge'), () => this.#inState[SlotState.held]],
      [table.column(scope, 'yielded', 'gauge'), () => this.#inState[SlotState.yielded]],
      [table.column(scope, 'waiting', 'gauge'), () => this.#waitingNow()],
    ];
    this.#grants = table.column(scope, 'granted', 'count');
    this.#yields = table.column(scope, 'yields', 'count');
    this.#slotSeconds = table.hidden(scope, 'slotTime');
    this.#busySeconds = table.hidden(scope, 'busyTime');
    this.#hoardedSeconds = table.hidden(scope, 'hoardedTime');
    const { activeMax, instances } = shape;
    const known = this.exchangesKnown;
    table.derived(scope, 'slotUtilisation', (index) =>
      known ? ratio(this.#busySeconds.get(index), this.#slotSeconds.get(index)) : null,
    );
    table.derived(scope, 'slotOccupancy', (index) =>
      ratio(this.#slotSeconds.get(index), activeMax * instances * MICROS_PER_SECOND * table.step),
    );
    table.derived(scope, 'hoardedSlotSeconds', (index) =>
      this.shape.requestsSeenDownstream
        ? (this.#hoardedSeconds.get(index) ?? 0) / MICROS_PER_SECOND
        : null,
    );
  }

  get exchangesKnown(): boolean {
    return this.shape.requestsSeenDownstream || this.shape.requestsSeenUpstream;
  }

  get zombiesKnown(): boolean {
    return this.shape.requestsSeenDownstream && this.shape.requestsSeenUpstream;
  }

  /** The account of a replica (its instance). */
  account(instance: number): SlotAccount {
    let account = this.#accounts.get(instance);
    if (account === undefined) {
      account = new SlotAccount();
      this.#accounts.set(instance, account);
    }
    return account;
  }

  /** A connection of that replica changed its slot state; none = it was not, or is no more. */
  moved(account: SlotAccount, from: SlotState, to: SlotState, at: Micros): void {
    if (from === SlotState.none) this.#inState[SlotState.none] += 1;
    this.#inState[from] -= 1;
    this.#inState[to] += 1;
    if (this.#inState[SlotState.held] > this.heldMax) this.heldMax = this.#inState[SlotState.held];
    this.settle(account, at);
    if (from === SlotState.active) account.active -= 1;
    if (to === SlotState.active) {
      account.active += 1;
      this.granted += 1;
      this.#grants.add(this.#table.indexOf(at), 1);
    } else if (to === SlotState.yielded) {
      this.yielded += 1;
      this.#yields.add(this.#table.indexOf(at), 1);
    }
  }

  /** Connections of that replica began or ceased to be busy, or to wait with a request. */
  changed(account: SlotAccount, busy: number, waiting: number, at: Micros): void {
    if (busy === 0 && waiting === 0) return;
    this.settle(account, at);
    account.busy += busy;
    account.waiting += waiting;
  }

  /** Busy time that became known only later. */
  busyBefore(from: Micros, to: Micros): void {
    const missed = this.clipped(from, to);
    this.busyTime += missed;
    this.#busySeconds.add(this.#table.indexOf(to), missed);
  }

  /** Settles everything up to a second's end and reads the gauges. */
  endOfSecond(index: number, at: Micros): void {
    for (const account of this.#accounts.values()) this.settle(account, at);
    for (const [series, read] of this.#gauges) series.set(index, read());
  }

  settle(account: SlotAccount, at: Micros): void {
    const { settledAt } = account;
    if (at <= settledAt) return;
    account.settledAt = at;
    const span = settledAt === NEVER ? 0 : this.clipped(settledAt, at);
    if (span <= 0) return;
    const index = this.#table.indexOf(settledAt);
    this.slotTime += account.active * span;
    this.busyTime += account.busy * span;
    this.#slotSeconds.add(index, account.active * span);
    this.#busySeconds.add(index, account.busy * span);
    if (account.waiting === 0) return;
    const hoarded = (account.active - account.busy) * span;
    this.hoardedTime += hoarded;
    this.#hoardedSeconds.add(index, hoarded);
  }

  /** What of a span lies within the load. */
  clipped(from: Micros, to: Micros): Micros {
    return Math.max(Math.min(to, this.#run.to) - Math.max(from, this.#run.from), 0);
  }

  get starvedAfter(): Micros {
    return this.#run.starvedAfter;
  }

  #waitingNow(): number {
    let sum = 0;
    for (const account of this.#accounts.values()) sum += account.waiting;
    return sum;
  }
}

function ratio(above: number | null, below: number | null): number | null {
  return above === null || below === null || below === 0 ? null : above / below;
}
