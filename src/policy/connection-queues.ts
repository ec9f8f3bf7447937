/**
 * ConnectionQueues: the L4 connection limiter of the incident (ConnCtrl), and its cure.
 *
 * A queue accepts every connection; `activeMax` of them have a slot and may move bytes. It sees
 * only what layer 4 can see: bytes in either direction and closes; never where a request ends.
 *
 *                      slot free                        closed
 *   opened ──► held ───────────────► active ─────────────────────► (slot free)
 *               ▲                      │  idle for reclaimAfter,
 *               │ bytes from client    ▼  and somebody waits
 *               └────────────────── yielded
 *
 * Reclaim `none` (the incident): a slot is held until its connection closes, busy or not.
 * Reclaim `idle-yield`: a slot may be taken from a connection whose last byte went toward the
 * client at least `reclaimAfter` ago. On demand only: the slot moves when somebody waits for it,
 * longest idle first, so that nothing is yielded in vain. A connection that moved no byte at all
 * since it got its slot counts as idle too, after SILENT_FACTOR x reclaimAfter: no response can
 * be broken by that, but its bytes may wait in the kernel for a driver that is late.
 *
 * Who waits: under `whileHeld: unread` every held connection, since nobody knows whether a
 * request is there. Under `watch` only those that have sent something; the silent are held too
 * (and closed after `heldTimeout` as the others are), but take no slot.
 *
 * A response that goes on after its connection yielded is still delivered; it is counted as
 * `overcommit`, once per yield: at that moment more than `activeMax` connections are at work
 * behind the queue. What that costs: a server that pauses longer than `reclaimAfter` in the
 * middle of its responses sees more work at a time than `activeMax`, and only this count says so.
 *
 * Limits: at most `activeMax + heldMax` connections are open, in whatever state; one more is
 * closed with `overflow`. `activeMax` lowered while running takes no slot from a busy connection:
 * there are more active than allowed until enough of them close or become idle.
 *
 * Source of the rule: the incident's ConnCtrl for `none`. HAProxy's `maxconn` does the same in
 * TCP mode; the cure is ours.
 *
 * Many queues are one machine: what is known of a connection are QUEUE_WORDS of its row in a
 * table of somebody else's, what is known of a queue is a row here. A connection belongs to the
 * queue that it was opened for until `peerClosed` there; then its number may be anybody's.
 * For one queue with a table of its own there is `ConnectionQueue`.
 * Budget: O(1) per input, no allocation, one wake-up for each queue.
 */
import { closeCauseCode } from '../model/close-cause.ts';
import type { ConnectionQueueHop } from '../model/topology.ts';
import {
  ACTIVE,
  FLAGS,
  Flag,
  GRANTED,
  HELD,
  HELD_LINKS,
  LINE,
  LINE_LINKS,
  OVERCOMMIT,
  OVERFLOW,
  QUEUE,
  QUIET_LINKS,
  SINCE,
  State,
  WAKE_AT,
  WORDS_OF_QUEUE,
  YIELDED,
  YIELDS,
} from './queue-rows.ts';
import { QuietLists } from './quiet-lists.ts';
import { RowList } from './row-list.ts';
import { Rows } from './rows.ts';

export { QUEUE_WORDS } from './queue-rows.ts';
export { SILENT_FACTOR } from './quiet-lists.ts';

export type ConnectionQueueSettings = Pick<
  ConnectionQueueHop,
  'activeMax' | 'heldMax' | 'heldTimeout' | 'order' | 'reclaim' | 'reclaimAfter' | 'whileHeld'
>;

export interface ConnectionQueuesPort {
  /** The connection has a slot: its bytes may move. */
  grant(queue: number, connection: number): void;
  /** Its slot is taken back; both sides stay open, bytes toward the client still pass. */
  yield(queue: number, connection: number): void;
  /** It has no slot and waits for one (or, under `watch`, for its first bytes). */
  hold(queue: number, connection: number): void;
  /** Close it; the driver answers with `peerClosed` once it is gone. */
  close(queue: number, connection: number, causeCode: number): void;
  /** Ask for `wake` of this queue (`WakePort`). */
  wakeAt(queue: number, at: number): void;
}

const OVERFLOW_CAUSE = closeCauseCode('overflow');
const TIMEOUT_CAUSE = closeCauseCode('queue_timeout');

const NEVER = Number.POSITIVE_INFINITY;

export class ConnectionQueues {
  readonly #port: ConnectionQueuesPort;
  readonly #connections: Rows;
  readonly #column: number = 0;
  readonly #queues = new Rows(WORDS_OF_QUEUE);
  /** By queue. */
  readonly #settings: ConnectionQueueSettings[] = [];
  /** Held connections in the order of their arrival, for `heldTimeout`. */
  readonly #held: RowList;
  /** Those of them that wait for a slot. */
  readonly #line: RowList;
  /** Where nothing is reclaimed nobody asks who is quiet: they are not kept. */
  readonly #quiet: QuietLists;

  /** Its words are those from `column` on, an even one, of the row of each connection. */
  constructor(port: ConnectionQueuesPort, connections: Rows, column: number) {
    this.#port = port;
    this.#connections = connections;
    this.#column = column;
    this.#held = new RowList(connections, column + HELD_LINKS, this.#queues, HELD);
    this.#line = new RowList(connections, column + LINE_LINKS, this.#queues, LINE);
    this.#quiet = new QuietLists(connections, column, this.#queues);
  }

  /** The number of a new queue. */
  add(settings: ConnectionQueueSettings): number {
    const queue = this.#settings.length;
    this.#queues.room(queue);
    this.#settings.push(settings);
    const { doubles, shift } = this.#queues;
    doubles[(queue << (shift - 1)) | WAKE_AT] = NEVER;
    return queue;
  }

  /** A connection was accepted. Its number may be in use no longer; throws if it is. */
  opened(queue: number, now: number, connection: number): void {
    this.#connections.room(connection);
    const { ints, shift } = this.#connections;
    const row = (connection << shift) | this.#column;
    if (ints[row] !== State.gone) throw new Error(`connection ${connection} is open already`);
    ints[row + FLAGS] = 0;
    ints[row + HELD_LINKS] = 0;
    ints[row + LINE_LINKS] = 0;
    ints[row + QUIET_LINKS] = 0;
    ints[row + QUEUE] = queue + 1;
    const { heldMax, activeMax, whileHeld } = this.#settingsOf(queue);
    const open = this.#count(queue, ACTIVE) + this.#held.size(queue) + this.#count(queue, YIELDED);
    if (open >= activeMax + heldMax) {
      this.#add(queue, OVERFLOW, 1);
      ints[row] = State.closing;
      this.#port.close(queue, connection, OVERFLOW_CAUSE);
      return;
    }
    this.#hold(queue, now, connection);
    if (whileHeld === 'unread') this.#line.push(queue, connection);
    this.#serve(queue, now);
  }

  /** Bytes came from the client; under `watch` also from a held one, which is then read. */
  bytesUp(queue: number, now: number, connection: number): void {
    const { ints, shift } = this.#connections;
    const row = (connection << shift) | this.#column;
    const state = ints[row] ?? 0;
    if (state === State.active) {
      this.#quiet.remove(queue, connection);
      ints[row + FLAGS] = 0;
      if (this.#reclaims(queue) && this.#line.size(queue) > 0) this.#arm(queue);
      return;
    }
    if (state !== State.yielded && state !== State.held) return;
    ints[row + FLAGS] = (ints[row + FLAGS] ?? 0) | Flag.bytesWait;
    if (state === State.yielded) {
      this.#add(queue, YIELDED, -1);
      this.#hold(queue, now, connection);
    } else if (this.#line.has(connection)) return;
    this.#line.push(queue, connection);
    this.#serve(queue, now);
  }

  /** Bytes moved toward the client. */
  bytesDown(queue: number, now: number, connection: number): void {
    const { ints, shift } = this.#connections;
    const row = (connection << shift) | this.#column;
    const state = ints[row] ?? 0;
    if (state === State.active) {
      this.#becameQuiet(queue, now, connection, Flag.idle);
      if (this.#line.size(queue) > 0) this.#arm(queue);
      return;
    }
    const flags = ints[row + FLAGS] ?? 0;
    if (state === State.gone || (flags & Flag.uncounted) === 0) return;
    ints[row + FLAGS] = flags & ~Flag.uncounted;
    this.#add(queue, OVERCOMMIT, 1);
  }

  /** The connection is gone, whoever closed it. */
  peerClosed(queue: number, now: number, connection: number): void {
    const { ints, shift } = this.#connections;
    const row = (connection << shift) | this.#column;
    const state = ints[row] ?? 0;
    if (state === State.gone) return;
    if (state === State.active) {
      this.#add(queue, ACTIVE, -1);
      this.#quiet.remove(queue, connection);
    } else if (state === State.yielded) this.#add(queue, YIELDED, -1);
    else if (state === State.held) this.#leaveHeld(queue, connection);
    ints[row + FLAGS] = 0;
    ints[row] = State.gone;
    this.#serve(queue, now);
  }

  wake(queue: number, now: number): void {
    const { doubles, shift } = this.#queues;
    doubles[(queue << (shift - 1)) | WAKE_AT] = NEVER;
    const { heldTimeout } = this.#settingsOf(queue);
    while (heldTimeout > 0 && this.#held.size(queue) > 0) {
      const oldest = this.#held.head(queue);
      if (this.#since(oldest) + heldTimeout > now) break;
      this.#leaveHeld(queue, oldest);
      this.#turn(oldest, State.closing, 0);
      this.#port.close(queue, oldest, TIMEOUT_CAUSE);
    }
    this.#serve(queue, now);
  }

  configure(queue: number, now: number, settings: ConnectionQueueSettings): void {
    const reclaimed = this.#reclaims(queue);
    this.#settings[queue] = settings;
    if (this.#reclaims(queue) !== reclaimed) this.#listActive(queue);
    if (settings.whileHeld === 'unread') this.#everybodyWaits(queue);
    this.#serve(queue, now);
  }

  snapshot(queue: number) {
    return {
      active: this.#count(queue, ACTIVE),
      held: this.#held.size(queue),
      waiting: this.#line.size(queue),
      yielded: this.#count(queue, YIELDED),
      granted: this.#count(queue, GRANTED),
      yields: this.#count(queue, YIELDS),
      overcommit: this.#count(queue, OVERCOMMIT),
      overflow: this.#count(queue, OVERFLOW),
    };
  }

  /** It keeps its flags: one that yielded may have bytes that wait, and an overcommit to count. */
  #hold(queue: number, now: number, connection: number): void {
    const { ints, doubles, shift } = this.#connections;
    const row = (connection << shift) | this.#column;
    ints[row] = State.held;
    doubles[(row >> 1) + SINCE] = now;
    this.#held.push(queue, connection);
    this.#port.hold(queue, connection);
  }

  #leaveHeld(queue: number, connection: number): void {
    this.#line.remove(queue, connection);
    this.#held.remove(queue, connection);
  }

  /** Hands out free slots, then idle ones, while somebody waits; arms the wake-up. */
  #serve(queue: number, now: number): void {
    const { activeMax, order, reclaim, reclaimAfter } = this.#settingsOf(queue);
    while (this.#line.size(queue) > 0) {
      if (this.#count(queue, ACTIVE) < activeMax) {
        const next = order === 'fifo' ? this.#line.head(queue) : this.#line.tail(queue);
        this.#grant(queue, now, next);
        continue;
      }
      const idle = reclaim === 'none' ? -1 : this.#quiet.first(queue, reclaimAfter);
      if (idle === -1 || this.#quiet.yieldsAt(idle, reclaimAfter) > now) break;
      this.#yield(queue, idle);
    }
    this.#arm(queue);
  }

  #grant(queue: number, now: number, connection: number): void {
    this.#leaveHeld(queue, connection);
    const { ints, shift } = this.#connections;
    const row = (connection << shift) | this.#column;
    const bytesWait = (ints[row + FLAGS] ?? 0) & Flag.bytesWait;
    ints[row] = State.active;
    ints[row + FLAGS] = 0;
    this.#add(queue, ACTIVE, 1);
    this.#add(queue, GRANTED, 1);
    if (bytesWait === 0) this.#becameQuiet(queue, now, connection, Flag.silent);
    this.#port.grant(queue, connection);
  }

  #everybodyWaits(queue: number): void {
    for (let one = this.#held.head(queue); one !== -1; one = this.#held.after(one)) {
      if (!this.#line.has(one)) this.#line.push(queue, one);
    }
  }

  #yield(queue: number, connection: number): void {
    this.#quiet.remove(queue, connection);
    this.#turn(connection, State.yielded, Flag.uncounted);
    this.#add(queue, ACTIVE, -1);
    this.#add(queue, YIELDED, 1);
    this.#add(queue, YIELDS, 1);
    this.#port.yield(queue, connection);
  }

  #becameQuiet(queue: number, now: number, connection: number, how: number): void {
    const reclaims = this.#reclaims(queue);
    if (reclaims) this.#quiet.remove(queue, connection);
    const { ints, doubles, shift } = this.#connections;
    const row = (connection << shift) | this.#column;
    ints[row + FLAGS] = how;
    doubles[(row >> 1) + SINCE] = now;
    if (reclaims) this.#quiet.push(queue, connection);
  }

  /** The lists of who may yield are kept from now on, or no longer. */
  #listActive(queue: number): void {
    const { ints, shift } = this.#connections;
    const active: number[] = [];
    for (let one = 0; one < ints.length >> shift; one++) {
      const row = (one << shift) | this.#column;
      if (ints[row] !== State.active || ints[row + QUEUE] !== queue + 1) continue;
      this.#quiet.remove(queue, one);
      active.push(one);
    }
    if (this.#reclaims(queue)) this.#quiet.pushAll(queue, active);
  }

  #arm(queue: number): void {
    const { heldTimeout, reclaim, reclaimAfter } = this.#settingsOf(queue);
    let at = NEVER;
    if (heldTimeout > 0 && this.#held.size(queue) > 0) {
      at = this.#since(this.#held.head(queue)) + heldTimeout;
    }
    if (reclaim === 'idle-yield' && this.#line.size(queue) > 0) {
      const next = this.#quiet.first(queue, reclaimAfter);
      if (next !== -1) at = Math.min(at, this.#quiet.yieldsAt(next, reclaimAfter));
    }
    // Asks only when the time has changed: that costs a timer or a place in an event queue.
    const { doubles, shift } = this.#queues;
    const word = (queue << (shift - 1)) | WAKE_AT;
    if (doubles[word] === at) return;
    doubles[word] = at;
    this.#port.wakeAt(queue, at);
  }

  #turn(connection: number, state: number, flags: number): void {
    const { ints, shift } = this.#connections;
    const row = (connection << shift) | this.#column;
    ints[row] = state;
    ints[row + FLAGS] = flags;
  }

  #since(connection: number): number {
    const { doubles, shift } = this.#connections;
    return doubles[(((connection << shift) | this.#column) >> 1) + SINCE] ?? 0;
  }

  #reclaims(queue: number): boolean {
    return this.#settingsOf(queue).reclaim !== 'none';
  }

  #settingsOf(queue: number): ConnectionQueueSettings {
    const settings = this.#settings[queue];
    if (settings === undefined) throw new Error(`there is no queue ${queue}`);
    return settings;
  }

  #count(queue: number, double: number): number {
    const { doubles, shift } = this.#queues;
    return doubles[(queue << (shift - 1)) | double] ?? 0;
  }

  #add(queue: number, double: number, more: number): void {
    const { doubles, shift } = this.#queues;
    const at = (queue << (shift - 1)) | double;
    doubles[at] = (doubles[at] ?? 0) + more;
  }
}
