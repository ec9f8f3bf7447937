/**
 * ConnectionQueue: the L4 connection limiter of the incident (ConnCtrl), and its cure.
 *
 * It accepts every connection; `activeMax` of them have a slot and may move bytes. It sees only
 * what layer 4 can see: bytes in either direction and closes; never where a request ends.
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
 * TCP mode; the cure is ours. Budget: O(1) per input, no allocation, one wake-up.
 */
import { closeCauseCode } from '../model/close-cause.ts';
import type { ConnectionQueueHop } from '../model/topology.ts';
import type { WakePort } from './contract.ts';
import { IntList } from './int-list.ts';
import { IntTable } from './int-table.ts';
import { WakeUp } from './wake-up.ts';

export type ConnectionQueueSettings = Pick<
  ConnectionQueueHop,
  'activeMax' | 'heldMax' | 'heldTimeout' | 'order' | 'reclaim' | 'reclaimAfter' | 'whileHeld'
>;

export interface ConnectionQueuePort extends WakePort {
  /** The connection has a slot: its bytes may move. */
  grant(connection: number): void;
  /** Its slot is taken back; both sides stay open, bytes toward the client still pass. */
  yield(connection: number): void;
  /** It has no slot and waits for one (or, under `watch`, for its first bytes). */
  hold(connection: number): void;
  /** Close it; the driver answers with `peerClosed` once it is gone. */
  close(connection: number, causeCode: number): void;
}

/** How much longer a connection may be silent that was granted a slot and has not spoken yet. */
export const SILENT_FACTOR = 10;

/**
 * Columns of a connection; a list takes two. BYTES_WAIT is 1 when bytes from the client are known
 * to wait, kept back by the driver; UNCOUNTED while a yielded one's overcommit was not counted.
 */
const STATE = 0;
const HELD_SINCE = 1;
const IDLE_SINCE = 2;
const BYTES_WAIT = 3;
const UNCOUNTED = 4;
const HELD_LIST = 5;
const LINE_LIST = 7;
const IDLE_LIST = 9;
const SILENT_LIST = 11;
/** A `Quiet` of an active connection. */
const QUIET = 13;
const COLUMNS = 14;

/** Not; since its last byte went toward the client; since its grant, without a byte. */
const Quiet = { no: 0, idle: 1, silent: 2 } as const;
const State = { gone: 0, held: 1, active: 2, yielded: 3, closing: 4 } as const;

export class ConnectionQueue {
  static readonly inputs = [
    'opened',
    'bytesUp',
    'bytesDown',
    'peerClosed',
    'wake',
    'configure',
  ] as const;
  static readonly outputs = ['grant', 'yield', 'hold', 'close', 'wakeAt'] as const;

  #settings: ConnectionQueueSettings;
  readonly #port: ConnectionQueuePort;
  readonly #wakeUp: WakeUp;
  readonly #rows = new IntTable(COLUMNS);
  /** Held connections in the order of their arrival, for `heldTimeout`. */
  readonly #held = new IntList(this.#rows, HELD_LIST);
  /** Those of them that wait for a slot. */
  readonly #line = new IntList(this.#rows, LINE_LIST);
  /** Active ones that may yield, longest idle first. */
  readonly #idle = new IntList(this.#rows, IDLE_LIST);
  /** Active ones that have not spoken since their grant, in the order of the grants. */
  readonly #silent = new IntList(this.#rows, SILENT_LIST);
  /** Where nothing is reclaimed nobody asks who is quiet: no lists are kept. */
  #reclaims: boolean;
  #numberMax = 0;
  #active = 0;
  #yielded = 0;
  #granted = 0;
  #yields = 0;
  #overcommit = 0;
  #overflow = 0;

  constructor(settings: ConnectionQueueSettings, port: ConnectionQueuePort) {
    this.#settings = settings;
    this.#reclaims = settings.reclaim !== 'none';
    this.#port = port;
    this.#wakeUp = new WakeUp(port);
  }

  /** A connection was accepted. */
  opened(now: number, connection: number): void {
    const { heldMax, activeMax, whileHeld } = this.#settings;
    if (connection > this.#numberMax) this.#numberMax = connection;
    if (this.#active + this.#held.size + this.#yielded >= activeMax + heldMax) {
      this.#overflow += 1;
      this.#rows.set(connection, STATE, State.closing);
      this.#port.close(connection, closeCauseCode('overflow'));
      return;
    }
    this.#hold(now, connection);
    if (whileHeld === 'unread') this.#line.push(connection);
    this.#serve(now);
  }

  /** Bytes came from the client; under `watch` also from a held one, which is then read. */
  bytesUp(now: number, connection: number): void {
    const state = this.#rows.get(connection, STATE);
    if (state === State.active) {
      this.#rows.set(connection, QUIET, Quiet.no);
      if (!this.#reclaims) return;
      this.#unlist(connection);
      if (this.#line.size > 0) this.#arm();
      return;
    }
    if (state !== State.yielded && state !== State.held) return;
    this.#rows.set(connection, BYTES_WAIT, 1);
    if (state === State.yielded) {
      this.#yielded -= 1;
      this.#hold(now, connection);
      this.#line.push(connection);
      this.#serve(now);
    } else if (!this.#line.has(connection)) {
      this.#line.push(connection);
      this.#serve(now);
    }
  }

  /** Bytes moved toward the client. */
  bytesDown(now: number, connection: number): void {
    const state = this.#rows.get(connection, STATE);
    if (state === State.active) {
      this.#becameQuiet(now, connection, Quiet.idle);
      if (this.#line.size > 0) this.#arm();
    } else if (this.#rows.get(connection, UNCOUNTED) === 1) {
      this.#rows.set(connection, UNCOUNTED, 0);
      this.#overcommit += 1;
    }
  }

  /** The connection is gone, whoever closed it. */
  peerClosed(now: number, connection: number): void {
    const state = this.#rows.get(connection, STATE);
    if (state === State.gone) return;
    if (state === State.active) this.#active -= 1;
    if (state === State.yielded) this.#yielded -= 1;
    this.#held.remove(connection);
    this.#line.remove(connection);
    this.#unlist(connection);
    this.#rows.set(connection, BYTES_WAIT, 0);
    this.#rows.set(connection, UNCOUNTED, 0);
    this.#rows.set(connection, STATE, State.gone);
    this.#serve(now);
  }

  wake(now: number): void {
    this.#wakeUp.fired();
    const { heldTimeout } = this.#settings;
    while (heldTimeout > 0 && this.#held.size > 0) {
      const oldest = this.#held.head;
      if (this.#rows.get(oldest, HELD_SINCE) + heldTimeout > now) break;
      this.#held.remove(oldest);
      this.#line.remove(oldest);
      this.#rows.set(oldest, BYTES_WAIT, 0);
      this.#rows.set(oldest, UNCOUNTED, 0);
      this.#rows.set(oldest, STATE, State.closing);
      this.#port.close(oldest, closeCauseCode('queue_timeout'));
    }
    this.#serve(now);
  }

  configure(now: number, settings: ConnectionQueueSettings): void {
    this.#settings = settings;
    this.#setReclaims(settings.reclaim !== 'none');
    if (settings.whileHeld === 'unread') this.#everybodyWaits();
    this.#serve(now);
  }

  snapshot() {
    return {
      active: this.#active,
      held: this.#held.size,
      waiting: this.#line.size,
      yielded: this.#yielded,
      granted: this.#granted,
      yields: this.#yields,
      overcommit: this.#overcommit,
      overflow: this.#overflow,
    };
  }

  #hold(now: number, connection: number): void {
    this.#rows.set(connection, STATE, State.held);
    this.#rows.set(connection, HELD_SINCE, now);
    this.#held.push(connection);
    this.#port.hold(connection);
  }

  /** Hands out free slots, then idle ones, while somebody waits; arms the wake-up. */
  #serve(now: number): void {
    const { activeMax, order, reclaim } = this.#settings;
    while (this.#line.size > 0) {
      if (this.#active < activeMax) {
        this.#grant(now, order === 'fifo' ? this.#line.head : this.#line.tail);
        continue;
      }
      const idle = reclaim === 'none' ? -1 : this.#reclaimable();
      if (idle === -1 || this.#reclaimableAt(idle) > now) break;
      this.#yield(idle);
    }
    this.#arm();
  }

  #grant(now: number, connection: number): void {
    this.#line.remove(connection);
    this.#held.remove(connection);
    this.#rows.set(connection, UNCOUNTED, 0);
    this.#rows.set(connection, STATE, State.active);
    this.#active += 1;
    this.#granted += 1;
    if (this.#rows.get(connection, BYTES_WAIT) === 1) {
      this.#rows.set(connection, BYTES_WAIT, 0);
      this.#rows.set(connection, QUIET, Quiet.no);
    } else this.#becameQuiet(now, connection, Quiet.silent);
    this.#port.grant(connection);
  }

  #everybodyWaits(): void {
    for (let one = this.#held.head; one !== -1; one = this.#held.after(one)) {
      if (!this.#line.has(one)) this.#line.push(one);
    }
  }

  /** The active connection whose slot may be taken first, or -1. */
  #reclaimable(): number {
    const idle = this.#idle.head;
    const silent = this.#silent.head;
    if (idle === -1 || silent === -1) return idle === -1 ? silent : idle;
    return this.#reclaimableAt(idle) <= this.#reclaimableAt(silent) ? idle : silent;
  }

  #reclaimableAt(connection: number): number {
    const { reclaimAfter } = this.#settings;
    const patience = this.#silent.has(connection) ? SILENT_FACTOR * reclaimAfter : reclaimAfter;
    return this.#rows.get(connection, IDLE_SINCE) + patience;
  }

  #yield(connection: number): void {
    this.#unlist(connection);
    this.#rows.set(connection, UNCOUNTED, 1);
    this.#rows.set(connection, STATE, State.yielded);
    this.#active -= 1;
    this.#yielded += 1;
    this.#yields += 1;
    this.#port.yield(connection);
  }

  #becameQuiet(now: number, connection: number, how: number): void {
    this.#rows.set(connection, QUIET, how);
    this.#rows.set(connection, IDLE_SINCE, now);
    if (!this.#reclaims) return;
    this.#unlist(connection);
    this.#list(connection, how);
  }

  #list(connection: number, how: number): void {
    if (how === Quiet.idle) this.#idle.push(connection);
    else if (how === Quiet.silent) this.#silent.push(connection);
  }

  #unlist(connection: number): void {
    this.#idle.remove(connection);
    this.#silent.remove(connection);
  }

  /** The lists of who may yield are kept from now on, or no longer. */
  #setReclaims(reclaims: boolean): void {
    if (reclaims === this.#reclaims) return;
    this.#reclaims = reclaims;
    const quiet: number[] = [];
    for (let one = 0; one <= this.#numberMax; one++) {
      this.#unlist(one);
      if (this.#rows.get(one, STATE) === State.active) quiet.push(one);
    }
    if (!reclaims) return;
    const since = (one: number): number => this.#rows.get(one, IDLE_SINCE);
    quiet.sort((one, other) => since(one) - since(other));
    for (const one of quiet) this.#list(one, this.#rows.get(one, QUIET));
  }

  #arm(): void {
    const { heldTimeout, reclaim } = this.#settings;
    let at = Number.POSITIVE_INFINITY;
    if (heldTimeout > 0 && this.#held.size > 0) {
      at = this.#rows.get(this.#held.head, HELD_SINCE) + heldTimeout;
    }
    if (reclaim === 'idle-yield' && this.#line.size > 0) {
      const next = this.#reclaimable();
      if (next !== -1) at = Math.min(at, this.#reclaimableAt(next));
    }
    this.#wakeUp.ask(at);
  }
}
