/**
 * Who of the active connections of `ConnectionQueues` may yield, the longest quiet first: the
 * idle, in the order of their last bytes toward the client, and the silent, who have not spoken
 * since their grant, in the order of the grants. Both orders are those of time, so the one who
 * may yield first is at the head of one of two lists. An active connection is in one of them at
 * most; its flags say in which.
 */
import { FLAGS, Flag, IDLE, QUIET_LINKS, SILENT, SINCE } from './queue-rows.ts';
import { RowList } from './row-list.ts';
import type { Rows } from './rows.ts';

/** How much longer a connection may be silent that was granted a slot and has not spoken yet. */
export const SILENT_FACTOR = 10;

export class QuietLists {
  readonly #connections: Rows;
  readonly #column: number = 0;
  readonly #idle: RowList;
  readonly #silent: RowList;

  constructor(connections: Rows, column: number, queues: Rows) {
    this.#connections = connections;
    this.#column = column;
    this.#idle = new RowList(connections, column + QUIET_LINKS, queues, IDLE);
    this.#silent = new RowList(connections, column + QUIET_LINKS, queues, SILENT);
  }

  /** As its flags say; of those that are not quiet, nothing. */
  push(queue: number, connection: number): void {
    const how = this.#how(connection);
    if (how === Flag.idle) this.#idle.push(queue, connection);
    else if (how === Flag.silent) this.#silent.push(queue, connection);
  }

  /** While its flags still say in which list it is, if it is. */
  remove(queue: number, connection: number): void {
    const how = this.#how(connection);
    if (how === Flag.idle) this.#idle.remove(queue, connection);
    else if (how === Flag.silent) this.#silent.remove(queue, connection);
  }

  /** The active connection whose slot may be taken first, or -1. */
  first(queue: number, reclaimAfter: number): number {
    const idle = this.#idle.head(queue);
    const silent = this.#silent.head(queue);
    if (idle === -1 || silent === -1) return idle === -1 ? silent : idle;
    return this.yieldsAt(idle, reclaimAfter) <= this.yieldsAt(silent, reclaimAfter) ? idle : silent;
  }

  /** When its slot may be taken. */
  yieldsAt(connection: number, reclaimAfter: number): number {
    const silent = this.#how(connection) === Flag.silent;
    return this.#since(connection) + (silent ? SILENT_FACTOR * reclaimAfter : reclaimAfter);
  }

  /** Of `active`, in the order of their numbers, those that are quiet. */
  pushAll(queue: number, active: number[]): void {
    active.sort((one, other) => this.#since(one) - this.#since(other));
    for (const one of active) this.push(queue, one);
  }

  #how(connection: number): number {
    const { ints, shift } = this.#connections;
    return ints[((connection << shift) | this.#column) + FLAGS] ?? 0;
  }

  #since(connection: number): number {
    const { doubles, shift } = this.#connections;
    return doubles[(((connection << shift) | this.#column) >> 1) + SINCE] ?? 0;
  }
}
