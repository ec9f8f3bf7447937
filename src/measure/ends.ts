/**
 * The join of ends into connections. An end's tuple names the connection from both sides: the
 * connector's local address is the acceptor's remote one. Addresses are reused, so the n-th
 * incarnation of a tuple at one end is the n-th at the other: whichever end is told first waits
 * in line, and the other side takes the oldest that waits. Time plays no part, because an
 * acceptor may speak before its connector does; except that an end which was accepted from a
 * connect that had been given up, and closed long before the next one from that port, is no
 * partner of that one.
 *
 * Left out: an accept without a tuple (reset before it could be read) cannot be joined. It is
 * counted as a class, and leaves a connector without a partner. Should the same pair of ports
 * be used again in that run, later incarnations of it are joined one too early; their count
 * stays right. Ephemeral ports make that a matter of thousands of connections.
 */
import type { Micros } from '../model/units.ts';
import type { LinkShape } from './shape.ts';
import { Connection, type End, EndState } from './state.ts';

/** An accepted end that closed so long before a connect began was not accepted from it. */
const SURELY_BEFORE: Micros = 1_000_000;

export class Ends {
  readonly #byProcess: Map<number, End>[] = [];
  /** acceptor's address -> connector's address -> connections that lack one end, oldest first. */
  readonly #waiting = new Map<number, Map<number, Connection[]>>();
  #connections = 0;

  find(process: number, number: number): End | null {
    return this.#byProcess[process]?.get(number) ?? null;
  }

  add(end: End): void {
    let table = this.#byProcess[end.process];
    if (table === undefined) {
      table = new Map();
      this.#byProcess[end.process] = table;
    }
    table.set(end.number, end);
  }

  remove(end: End): void {
    this.#byProcess[end.process]?.delete(end.number);
  }

  of(process: number): Iterable<End> {
    return this.#byProcess[process]?.values() ?? [];
  }

  /** Every end that is still remembered, by process and then in the order of first mention. */
  *all(): Iterable<End> {
    for (const table of this.#byProcess) if (table !== undefined) yield* table.values();
  }

  /**
   * Gives a newly opened end its connection: that of its partner, if that one came first.
   * Returns true when the connection is new.
   */
  join(end: End): boolean {
    const { link } = end;
    const partnerOwn = end.acceptor ? link.connectorOwn : link.acceptorOwn;
    const waiting = partnerOwn ? this.#line(end) : null;
    if (waiting !== null && !end.acceptor) dropAbandoned(waiting, end.startedAt);
    const oldest = waiting?.[0];
    const fits =
      oldest !== undefined && (end.acceptor ? oldest.acceptor : oldest.connector) === null;
    const connection = fits ? oldest : this.create(link);
    if (fits) this.#leave(end, waiting as Connection[]);
    else waiting?.push(connection);
    if (end.acceptor) connection.acceptor = end;
    else connection.connector = end;
    end.connection = connection;
    return !fits;
  }

  create(link: LinkShape): Connection {
    this.#connections += 1;
    return new Connection(this.#connections, link);
  }

  /** Connections of the tuple that lack one end; all of them lack the same one. */
  #line(end: End): Connection[] {
    const server = end.acceptor ? end.local : end.remote;
    const client = end.acceptor ? end.remote : end.local;
    let clients = this.#waiting.get(server);
    if (clients === undefined) {
      clients = new Map();
      this.#waiting.set(server, clients);
    }
    let line = clients.get(client);
    if (line === undefined) {
      line = [];
      clients.set(client, line);
    }
    return line;
  }

  #leave(end: End, line: Connection[]): void {
    line.shift();
    if (line.length > 0) return;
    // Both sides have told equally many: forgetting the tuple keeps memory to what is open.
    const server = end.acceptor ? end.local : end.remote;
    this.#waiting.get(server)?.delete(end.acceptor ? end.remote : end.local);
  }
}

function dropAbandoned(line: Connection[], connectStartedAt: Micros): void {
  const isAbandoned = ({ connector, acceptor }: Connection): boolean =>
    connector === null &&
    acceptor?.state === EndState.closed &&
    acceptor.closedAt + SURELY_BEFORE < connectStartedAt;
  while (line[0] !== undefined && isAbandoned(line[0])) line.shift();
}
