/**
 * A database connection on our own MySQL client: what the app needs of the protocol, at a
 * quarter of mysql2's cost (bench/RESULTS.md).
 *
 *   connecting ─► greeted ─► authenticating ─► ready ⇄ preparing, executing ─► closed
 *
 * One command at a time. Left out: TLS, compression, text queries, several results, dates.
 */
import type { Endpoint, Link } from '../../model/run.ts';
import { PacketReader } from '../database/packet-reader.ts';
import type { ConnectionEnd, EndHandlers, EndRegistry } from '../io/connection-end.ts';
import { answerGreeting, answerSwitch } from './client-handshake.ts';
import {
  binaryRow,
  type Cell,
  columnType,
  errorOf,
  executePacket,
  integerAt,
  packetOf,
  preparePacket,
} from './client-packets.ts';
import {
  CONNECT_TIMEOUT_MS,
  type Credentials,
  type DatabaseSession,
  NO_RESULT,
  type Parameters,
  type QueryFailure,
  type QueryResult,
  type SessionOwner,
} from './database-session.ts';

const OK = 0;
const SWITCH = 254;
const END = 254;
const ERROR = 255;
/** END packets are shorter; a row or definition that begins with 254 is longer. */
const END_BYTES_MAX = 8;
const QUIT = packetOf(0, Uint8Array.of(1));

/** The names by which mysql2 calls the errors that the app or its users look for. */
const ERROR_NAMES = new Map([
  [1_040, 'ER_CON_COUNT_ERROR'],
  [1_045, 'ER_ACCESS_DENIED_ERROR'],
  [1_461, 'ER_MAX_PREPARED_STMT_COUNT_REACHED'],
]);

const MALFORMED: QueryFailure = {
  code: 'PROTOCOL_ERROR',
  message: 'the database sent what is no answer',
};
const OTHER_METHOD: QueryFailure = {
  code: 'AUTH_NOT_SUPPORTED',
  message: 'only mysql_native_password is built in: use "implementation: node" for the app',
};

interface Statement {
  readonly number: number;
  /** The types of its columns. */
  readonly types: number[];
}

interface Preparing {
  readonly sql: string;
  readonly done: (failure: QueryFailure | null) => void;
  /** Null until the head of the answer is read. */
  statement: Statement | null;
  columns: number;
}

type State = 'greeting' | 'authenticating' | 'ready' | 'preparing' | 'result' | 'columns' | 'rows';

export class BuiltinSession implements DatabaseSession, EndHandlers {
  readonly end: ConnectionEnd;
  readonly #owner: SessionOwner;
  readonly #credentials: Credentials;
  readonly #reader = new PacketReader();
  readonly #statements = new Map<string, Statement>();
  readonly #connectLimit: NodeJS.Timeout;
  #state: State = 'greeting';
  #lost = false;
  #quitting = false;
  #preparing: Preparing | null = null;
  #statement: Statement | null = null;
  #done: ((failure: QueryFailure | null, result: QueryResult) => void) | null = null;
  /** Definitions still to come, with the END behind them. */
  #left = 0;
  #row: Cell[] | null = null;

  constructor(
    ends: EndRegistry,
    link: Link,
    target: Endpoint,
    credentials: Credentials,
    owner: SessionOwner,
  ) {
    this.#owner = owner;
    this.#credentials = credentials;
    this.#connectLimit = setTimeout(() => {
      this.end.close('connect_timeout');
      this.#fail({ code: 'ETIMEDOUT', message: 'connecting took too long' });
    }, CONNECT_TIMEOUT_MS);
    this.end = ends.connect(link, target, this);
  }

  isPrepared(sql: string): boolean {
    return this.#statements.has(sql);
  }

  prepare(sql: string, done: (failure: QueryFailure | null) => void): void {
    this.#preparing = { sql, done, statement: null, columns: 0 };
    this.#state = 'preparing';
    this.end.writeOwned(preparePacket(sql));
  }

  execute(
    sql: string,
    parameters: Parameters,
    done: (failure: QueryFailure | null, result: QueryResult) => void,
  ): void {
    const statement = this.#statements.get(sql);
    if (statement === undefined) throw new Error(`not prepared: ${sql}`);
    this.#statement = statement;
    this.#done = done;
    this.#row = null;
    this.#state = 'result';
    this.end.writeOwned(executePacket(statement.number, parameters));
  }

  quit(): void {
    this.#quitting = true;
    this.end.writeOwned(QUIT);
    this.end.finish();
  }

  destroy(): void {
    this.end.close('unknown');
  }

  // EndHandlers

  onData(_end: ConnectionEnd, buffer: Buffer, length: number): void {
    this.#reader.add(buffer, length);
    while (!this.#lost) {
      const found = this.#reader.next();
      if (found === 'too-large') this.#broken(MALFORMED);
      if (found !== 'packet') break;
      this.#packet(this.#reader);
    }
    this.#reader.keep();
  }

  onEnd(end: ConnectionEnd): void {
    end.close('peer_fin');
    this.#fail(null);
  }

  onDrain(): void {}

  onClose(): void {
    this.#fail(null);
  }

  #packet(packet: PacketReader): void {
    switch (this.#state) {
      case 'greeting':
        this.#greeted(packet.payload, packet.sequence);
        return;
      case 'authenticating':
        this.#authenticated(packet.payload, packet.sequence);
        return;
      case 'preparing':
        if (this.#preparing !== null) this.#prepared(this.#preparing, packet.payload);
        return;
      case 'result':
        this.#result(packet.payload);
        return;
      case 'columns':
        this.#left -= 1;
        if (this.#left === 0) this.#state = 'rows';
        return;
      case 'rows':
        this.#rows(packet);
        return;
      case 'ready':
        if (!this.#quitting) this.#broken(MALFORMED);
    }
  }

  #greeted(payload: Buffer, sequence: number): void {
    const answer = answerGreeting(payload, this.#credentials);
    if (payload[0] === ERROR) this.#broken(failureOf(payload));
    else if (answer === null) this.#broken(MALFORMED);
    else {
      this.#state = 'authenticating';
      this.end.writeOwned(packetOf(sequence + 1, answer));
    }
  }

  #authenticated(payload: Buffer, sequence: number): void {
    if (payload[0] === OK) {
      this.#state = 'ready';
      clearTimeout(this.#connectLimit);
      this.#owner.up();
    } else if (payload[0] === ERROR) this.#broken(failureOf(payload));
    else {
      const answer = payload[0] === SWITCH ? answerSwitch(payload, this.#credentials) : null;
      if (answer === null) this.#broken(OTHER_METHOD);
      else this.end.writeOwned(packetOf(sequence + 1, answer));
    }
  }

  /** The head of the answer, then parameters, then columns: each group ends with END. */
  #prepared(preparing: Preparing, payload: Buffer): void {
    if (preparing.statement === null) {
      if (payload[0] === ERROR) this.#preparedWith(preparing, failureOf(payload));
      else if (payload[0] !== OK || payload.length < 9) this.#broken(MALFORMED);
      else {
        const columns = payload.readUInt16LE(5);
        const parameters = payload.readUInt16LE(7);
        preparing.statement = { number: payload.readUInt32LE(1), types: [] };
        preparing.columns = columns;
        this.#left = (parameters > 0 ? parameters + 1 : 0) + (columns > 0 ? columns + 1 : 0);
        if (this.#left === 0) this.#preparedWith(preparing, null);
      }
      return;
    }
    this.#left -= 1;
    if (this.#left === 0) this.#preparedWith(preparing, null);
    else if (this.#left <= preparing.columns) {
      const type = columnType(payload);
      if (type === null) this.#broken(MALFORMED);
      else preparing.statement.types.push(type);
    }
  }

  #preparedWith({ sql, statement, done }: Preparing, failure: QueryFailure | null): void {
    if (statement !== null) this.#statements.set(sql, statement);
    this.#preparing = null;
    this.#state = 'ready';
    done(failure);
  }

  #result(payload: Buffer): void {
    if (payload[0] === ERROR) this.#finished(failureOf(payload), NO_RESULT);
    else if (payload[0] === OK) {
      const affected = integerAt(payload, 1);
      const insertId = affected === null ? null : integerAt(payload, affected.end);
      this.#finished(null, { item: null, insertId: insertId?.value ?? 0 });
    } else {
      this.#state = 'columns';
      this.#left = (integerAt(payload, 0)?.value ?? 0) + 1;
      // Types are those of when it was prepared: only as many columns can be read.
      if (this.#left - 1 !== this.#statement?.types.length) this.#broken(MALFORMED);
    }
  }

  #rows(packet: PacketReader): void {
    if (packet.first === ERROR) this.#finished(failureOf(packet.payload), NO_RESULT);
    else if (packet.first === END && packet.length <= END_BYTES_MAX) {
      this.#finished(null, { item: itemOf(this.#row), insertId: 0 });
    } else if (this.#row === null) {
      this.#row = binaryRow(packet.payload, this.#statement?.types ?? []);
      if (this.#row === null) this.#broken(MALFORMED);
    }
  }

  #finished(failure: QueryFailure | null, result: QueryResult): void {
    const done = this.#done;
    this.#done = null;
    this.#state = 'ready';
    done?.(failure, result);
  }

  #broken(failure: QueryFailure): void {
    // First of all: who hears of the failure may close too, and knows no better reason.
    this.end.close(failure.code.startsWith('ER_') ? 'peer_fin' : 'protocol_error');
    this.#fail(failure);
  }

  #fail(failure: QueryFailure | null): void {
    if (this.#lost) return;
    this.#lost = true;
    clearTimeout(this.#connectLimit);
    this.#owner.lost(failure);
  }
}

function failureOf(payload: Buffer): QueryFailure {
  const { number, text } = errorOf(payload);
  return { code: ERROR_NAMES.get(number) ?? `ER_${number}`, message: text };
}

/** The select's row: id, name, price. */
function itemOf(row: readonly Cell[] | null): QueryResult['item'] {
  if (row === null) return null;
  const [id = 0, name = null, price = null] = row;
  return {
    id: Number(id),
    name: name === null ? null : String(name),
    price: price === null ? null : Number(price),
  };
}
