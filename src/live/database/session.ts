/**
 * One connection of the embedded database: handshake, then one command at a time, each query
 * after its service time at the database's station.
 *
 *   greeting ─► authenticating ─► ready ⇄ busy (a query is served; further packets wait)
 *                   │ 1045, 1043      │ quit, FIN ► closed (peer_fin)
 *                   ▼ connect_timeout ▼ 1153, 1156 ► closed (protocol_error)
 *
 * Exchanges are COM_QUERY and COM_STMT_EXECUTE, nothing else: preparing, pinging and closing
 * are how a driver runs its connection, not what the app asked. A query whose client has gone
 * is served to its end all the same, as a real server does not look.
 *
 * While a query is served, at most WAITING_BYTES of what comes behind it is read.
 */
import type { CloseCause } from '../../model/close-cause.ts';
import { PARENT_NONE } from '../../model/event.ts';
import type { ConnectionEnd, EndHandlers } from '../io/connection-end.ts';
import { Deadline } from '../relay-http/deadlines.ts';
import { Handshake } from './handshake.ts';
import { DATABASE_NAME } from './items.ts';
import { PacketReader } from './packet-reader.ts';
import { type BoundTypes, readParameters } from './parameters.ts';
import { parseStatement } from './parser.ts';
import {
  type Failure,
  failure,
  isWork,
  noAccess,
  type Result,
  run,
  type Session,
  type Statement,
} from './statements.ts';
import { type Column, ColumnType, Reply, type Row } from './wire.ts';

const Command = {
  quit: 0x01,
  initDb: 0x02,
  query: 0x03,
  statistics: 0x09,
  ping: 0x0e,
  prepare: 0x16,
  execute: 0x17,
  sendLongData: 0x18,
  closeStatement: 0x19,
  resetStatement: 0x1a,
  resetConnection: 0x1f,
} as const;

const WAITING_BYTES = 65_536;
const UNKNOWN_COMMAND = failure(1_047, '08S01', 'Unknown command');
const UNKNOWN_STATEMENT = failure(1_243, 'HY000', 'Unknown prepared statement handler');
const WRONG_ARGUMENTS = failure(1_210, 'HY000', 'Incorrect arguments to mysqld_stmt_execute');
const OUT_OF_RESOURCES = failure(1_041, 'HY000', 'Out of memory: too many queries wait');
const TOO_LARGE = failure(1_153, '08S01', "Got a packet bigger than 'max_allowed_packet' bytes");
const OUT_OF_ORDER = failure(1_156, '08S01', 'Got packets out of order');
const TOO_MANY_STATEMENTS =
  "Can't create more than max_prepared_stmt_count statements (current value: ";

/** What the database gives each of its connections. */
export interface DatabaseShared {
  /** Calls back after the service time, later; false when too many queries wait. */
  serve(done: () => void): boolean;
  /** Calls back later, without service time, but not during a stall. */
  serveAtOnce(done: () => void): boolean;
  /** Room for one more prepared statement. */
  takeStatement(): boolean;
  giveStatements(count: number): void;
  readonly statementsMax: number;
  sessionOf(thread: number): Session;
  /** The connection is gone. */
  closed(): void;
  answered(status: number, startedAt: number): void;
  now(): number;
}

interface Prepared {
  readonly statement: Statement;
  types: BoundTypes;
}

/** The query that is being served. */
interface Served {
  readonly ordinal: number;
  readonly sequence: number;
  readonly binary: boolean;
  readonly startedAt: number;
}

const PLACEHOLDER: Column = { name: '?', type: ColumnType.string };

export class DatabaseConnection extends Deadline implements EndHandlers {
  readonly #end: ConnectionEnd;
  readonly #shared: DatabaseShared;
  readonly #session: Session;
  readonly #reader = new PacketReader();
  readonly #prepared = new Map<number, Prepared>();
  /** Null once the client is authenticated. */
  #handshake: Handshake | null = new Handshake();
  /** The sequence number that the next packet must have. */
  #expected = 1;
  #lastStatement = 0;
  #served: Served | null = null;
  #closing = false;
  /** The client does not read its answers: no further command is taken until it does. */
  #choked = false;

  constructor(end: ConnectionEnd, thread: number, shared: DatabaseShared) {
    super();
    this.#end = end;
    this.#shared = shared;
    this.#session = shared.sessionOf(thread);
    this.#send(new Reply(0).packet((this.#handshake as Handshake).greeting(thread)));
  }

  onData(end: ConnectionEnd, buffer: Buffer, length: number): void {
    if (this.#closing) return;
    this.#reader.add(buffer, length);
    this.#readOn();
    if (this.#served !== null && this.#reader.waiting > WAITING_BYTES) end.pause();
  }

  onEnd(): void {
    if (this.#served === null && !this.#choked) this.#close('peer_fin');
  }

  onDrain(): void {
    this.#choked = false;
    if (this.#served === null && !this.#closing) this.#goOn();
  }

  onClose(_end: ConnectionEnd, cause: CloseCause): void {
    this.clear();
    const served = this.#served;
    this.#served = null;
    if (served !== null) {
      const failure = cause === 'shutdown' ? 'shutdown' : 'reset';
      this.#end.exchangeEnded(served.ordinal, 0, failure);
    }
    this.#forgetStatements();
    this.#shared.closed();
  }

  /** The client did not authenticate in time. */
  expired(): void {
    this.#fail(failure(1_043, '08S01', 'Bad handshake'), 'connect_timeout');
  }

  #readOn(): void {
    while (this.#served === null && !this.#closing && !this.#choked) {
      const found = this.#reader.next();
      if (found === 'too-large') {
        this.#fail(TOO_LARGE, 'protocol_error');
        return;
      }
      if (found === 'incomplete') break;
      const { payload, sequence } = this.#reader;
      if (sequence !== this.#expected) this.#fail(OUT_OF_ORDER, 'protocol_error');
      else if (this.#handshake !== null) this.#authenticate(this.#handshake, payload);
      else this.#command(payload);
    }
    this.#reader.keep();
  }

  #authenticate(handshake: Handshake, payload: Buffer): void {
    const result = handshake.answer(payload);
    const reply = new Reply(this.#expected + 1);
    if (result === 'switch') {
      this.#expected += 2;
      this.#send(reply.packet(handshake.switchRequest()));
    } else if (result === null) {
      this.#handshake = null;
      this.#expected = 0;
      this.clear();
      this.#send(reply.ok());
    } else this.#fail(result, 'protocol_error', reply);
  }

  #command(payload: Buffer): void {
    switch (payload[0]) {
      case Command.quit:
        // The client ends it; that we are the ones to close is only the protocol's manner.
        this.#close('peer_fin');
        return;
      case Command.query:
        this.#query(payload);
        return;
      case Command.execute:
        this.#execute(payload);
        return;
      case Command.prepare:
        this.#prepare(payload.toString('utf8', 1));
        return;
      case Command.closeStatement:
        // Neither this one nor the next is answered.
        if (this.#prepared.delete(statementNumber(payload))) this.#shared.giveStatements(1);
        return;
      case Command.sendLongData:
        return;
      case Command.resetStatement:
        if (this.#prepared.has(statementNumber(payload))) this.#send(new Reply(1).ok());
        else this.#refuse(UNKNOWN_STATEMENT);
        return;
      case Command.resetConnection:
        this.#forgetStatements();
        this.#send(new Reply(1).ok());
        return;
      case Command.initDb:
        this.#initDb(payload.toString('utf8', 1).slice(0, 64));
        return;
      case Command.ping:
        this.#send(new Reply(1).ok());
        return;
      case Command.statistics:
        this.#send(new Reply(1).packet(Buffer.from('waterhammer, embedded database')));
        return;
      default:
        this.#refuse(UNKNOWN_COMMAND);
    }
  }

  #initDb(name: string): void {
    if (name === DATABASE_NAME) this.#send(new Reply(1).ok());
    else this.#refuse(noAccess(name));
  }

  /** What cannot be prepared will not be executed: its refusal is the answer, an exchange. */
  #prepare(sql: string): void {
    const statement = parseStatement(sql);
    if (statement.kind === 'error') {
      this.#serve(statement, [], 'binary');
      return;
    }
    if (!this.#shared.takeStatement()) {
      const text = `${TOO_MANY_STATEMENTS}${this.#shared.statementsMax})`;
      this.#serve(failure(1_461, '42000', text), [], 'binary');
      return;
    }
    const { columns, parameters } = statement;
    this.#lastStatement += 1;
    this.#prepared.set(this.#lastStatement, { statement, types: [] });
    const head = Buffer.alloc(12);
    head.writeUInt32LE(this.#lastStatement, 1);
    head.writeUInt16LE(columns.length, 5);
    head.writeUInt16LE(parameters, 7);
    const reply = new Reply(1).packet(head);
    if (parameters > 0) reply.columns(new Array<Column>(parameters).fill(PLACEHOLDER));
    if (columns.length > 0) reply.columns(columns);
    this.#send(reply);
  }

  #query(payload: Buffer): void {
    const statement = parseStatement(payload.toString('utf8', 1));
    if (statement.kind === 'error') this.#serve(statement, [], 'text');
    else if (statement.parameters === 0) this.#serve(statement, [], 'text');
    else this.#serve(failure(1_064, '42000', "A '?' needs a prepared statement"), [], 'text');
  }

  #execute(payload: Buffer): void {
    const prepared = this.#prepared.get(statementNumber(payload));
    if (prepared === undefined) {
      this.#serve(UNKNOWN_STATEMENT, [], 'binary');
      return;
    }
    const { statement, types } = prepared;
    const read = readParameters(payload, statement.parameters, types);
    if (read === null) {
      this.#serve(WRONG_ARGUMENTS, [], 'binary');
      return;
    }
    prepared.types = read.types;
    this.#serve(statement, read.values, 'binary');
  }

  /** Books the exchange and answers it after its service time, if it is work on the table. */
  #serve(statement: Statement | Failure, parameters: Row, protocol: 'text' | 'binary'): void {
    const served: Served = {
      ordinal: this.#end.exchangeStarted(PARENT_NONE, 0, 0),
      sequence: 1,
      binary: protocol === 'binary',
      startedAt: this.#shared.now(),
    };
    this.#served = served;
    const done = (): void => {
      if (this.#served !== served) return;
      const result =
        statement.kind === 'error' ? statement : run(statement, parameters, this.#session);
      this.#answer(served, result);
      if (!this.#closing) this.#goOn();
    };
    const works = statement.kind !== 'error' && isWork(statement);
    const taken = works ? this.#shared.serve(done) : this.#shared.serveAtOnce(done);
    if (!taken) this.#answer(served, OUT_OF_RESOURCES);
  }

  #answer(served: Served, result: Result): void {
    const reply = new Reply(served.sequence);
    if (result.kind === 'error') reply.error(result.code, result.state, result.message);
    else if (result.kind === 'done') reply.ok(result.affectedRows, result.insertId);
    else if (served.binary) reply.binaryRows(result.columns, result.rows);
    else reply.textRows(result.columns, result.rows);
    this.#send(reply);
    const status = result.kind === 'error' ? 500 : 200;
    this.#served = null;
    this.#end.exchangeEnded(served.ordinal, status, 'none');
    this.#shared.answered(status, served.startedAt);
  }

  /** What came while the query was served. */
  #goOn(): void {
    this.#readOn();
    if (this.#served !== null || this.#closing || this.#choked) return;
    if (this.#end.ended) this.#close('peer_fin');
    else this.#end.resume();
  }

  #refuse({ code, state, message }: Failure): void {
    this.#send(new Reply(1).error(code, state, message));
  }

  /** The last packet, then the end. */
  #fail({ code, state, message }: Failure, cause: CloseCause, reply = new Reply(1)): void {
    this.#send(reply.error(code, state, message));
    this.#close(cause);
  }

  #send(reply: Reply): void {
    if (this.#end.writeOwned(reply.bytes())) return;
    this.#choked = true;
    this.#end.pause();
  }

  #close(cause: CloseCause): void {
    this.#closing = true;
    this.#end.close(cause);
  }

  #forgetStatements(): void {
    this.#shared.giveStatements(this.#prepared.size);
    this.#prepared.clear();
  }
}

function statementNumber(payload: Buffer): number {
  return payload.length >= 5 ? payload.readUInt32LE(1) : 0;
}
