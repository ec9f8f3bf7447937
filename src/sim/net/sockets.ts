/**
 * The live sockets of a place, for whoever must go through all of them: faults, the census. Each
 * connection knows its index, so that adding and removing cost a store or two.
 */
import type { Connection } from './connection.ts';

abstract class Sockets {
  protected readonly list: Connection[] = [];

  get size(): number {
    return this.list.length;
  }

  /** A copy, so that sockets may go meanwhile. */
  all(): Connection[] {
    return [...this.list];
  }
}

export class ConnectorSockets extends Sockets {
  add(connection: Connection): void {
    connection.connectingIndex = this.list.length;
    this.list[this.list.length] = connection;
  }

  delete(connection: Connection): void {
    const last = this.list.pop();
    if (last === undefined || last === connection) return;
    last.connectingIndex = connection.connectingIndex;
    this.list[last.connectingIndex] = last;
  }
}

export class AcceptorSockets extends Sockets {
  add(connection: Connection): void {
    connection.acceptedIndex = this.list.length;
    this.list[this.list.length] = connection;
  }

  delete(connection: Connection): void {
    const last = this.list.pop();
    if (last === undefined || last === connection) return;
    last.acceptedIndex = connection.acceptedIndex;
    this.list[last.acceptedIndex] = last;
  }
}
