/**
 * One connection of the embedded database: handshake, then one command at a time, each query
 * after its service time at the database's station.
 *
 * Exchanges are COM_QUERY and COM_STMT_EXECUTE, nothing else: preparing, pinging and closing
 * are how a driver runs its connection, not what the app asked.
 */
import { PARENT_NONE } from '../../model/event.ts';
import type { ConnectionEnd, EndHandlers } from '../io/connection-end.ts';
import { Handshake } from './handshake.ts';
import { columnsOf, executeStatement, type Result } from './statements.ts';
import { ColumnType, PacketReader, Reply } from './wire.ts';

const Command = {
  quit: 0x01,
  initDb: 0x02,
  query: 0x03,
  ping: 0x0e,
  prepare: 0x16,
  execute: 0x17,
  closeStatement: 0x19,
  resetStatement: 0x1a,
  resetConnection: 0x1f,
} as const;

/** Commands that a client may send before the answer to the first; drivers send one. */
const PIPELINED_MAX = 64;
const TYPE_LONGLONG = 8;
const TYPE_DOUBLE = 5;

/** What the database gives each session. */
export interface DatabaseShared {
  /** Calls back after the service time; false when too many queries wait. */
  serve(done: () => void): boolean;
  /** Room for one more prepared statement (max_prepared_stmt_count). */
  takeStatement(): boolean;
  giveStatements(count: number): void;
  nextInsertId(): number;
  answered(status: number, startedAt: number): void;
  now(): number;
}

interface Statement {
  readonly sql: string;
  readonly parameters: number;
}

export class Session implements EndHandlers {
  readonly #end: ConnectionEnd;
  readonly #shared: DatabaseShared;
  readonly #handshake = new Handshake();
  readonly #reader = new PacketReader((payload, sequence) => this.#packet(payload, sequence));
  readonly #statements = new Map<number, Statement>();
  #accepted = false;
  #nextStatement = 1;
  #busy = false;
  #waiting: { payload: Buffer; sequence: number }[] = [];
  #ordinal = 0;

  constructor(end: ConnectionEnd, thread: number, shared: DatabaseShared) {
    this.#end = end;
    this.#shared = shared;
    end.writeOwned(new Reply(0).packet(this.#handshake.greeting(thread)).bytes());
  }

  onData(end: ConnectionEnd, buffer: Buffer, length: number): void {
    if (!this.#reader.feed(buffer.subarray(0, length))) end.reset('protocol_error');
  }

  onEnd(end: ConnectionEnd): void {
    if (!this.#busy) end.close('peer_fin');
  }

  onDrain(): void {}

  onClose(): void {
    if (this.#ordinal > 0) this.#end.exchangeEnded(this.#ordinal, 0, 'reset');
    this.#ordinal = 0;
    this.#shared.giveStatements(this.#statements.size);
    this.#statements.clear();
  }

  #packet(payload: Buffer, sequence: number): void {
    if (this.#end.closed) return;
    if (!this.#accepted) this.#authenticate(payload, sequence);
    else if (this.#busy) {
      if (this.#waiting.length >= PIPELINED_MAX) this.#end.reset('protocol_error');
      else this.#waiting.push({ payload, sequence });
    } else this.#command(payload, sequence);
  }

  #authenticate(payload: Buffer, sequence: number): void {
    const reply = new Reply(sequence + 1);
    switch (this.#handshake.answer(payload)) {
      case 'accepted':
        this.#accepted = true;
        this.#end.writeOwned(reply.ok().bytes());
        return;
      case 'switch':
        this.#end.writeOwned(reply.packet(this.#handshake.switchRequest()).bytes());
        return;
      case 'denied':
        this.#end.writeOwned(reply.error(1_045, '28000', 'Access denied').bytes());
        this.#end.close('protocol_error');
        return;
      case 'malformed':
        this.#end.writeOwned(reply.error(1_043, '08S01', 'Bad handshake').bytes());
        this.#end.close('protocol_error');
    }
  }

  #command(payload: Buffer, sequence: number): void {
    const reply = new Reply(sequence + 1);
    const end = this.#end;
    switch (payload[0]) {
      case Command.quit:
        end.close('peer_fin');
        return;
      case Command.ping:
      case Command.initDb:
      case Command.resetStatement:
        end.writeOwned(reply.ok().bytes());
        return;
      case Command.resetConnection:
        this.#shared.giveStatements(this.#statements.size);
        this.#statements.clear();
        end.writeOwned(reply.ok().bytes());
        return;
      case Command.query:
        this.#serve(payload.toString('utf8', 1), null, reply, false);
        return;
      case Command.prepare:
        this.#prepare(payload.toString('utf8', 1), reply);
        return;
      case Command.execute:
        this.#execute(payload, reply);
        return;
      case Command.closeStatement:
        if (payload.length >= 5 && this.#statements.delete(payload.readUInt32LE(1))) {
          this.#shared.giveStatements(1);
        }
        return;
      default:
        end.writeOwned(reply.error(1_047, '08S01', 'Unknown command').bytes());
    }
  }

  #prepare(sql: string, reply: Reply): void {
    const columns = columnsOf(sql);
    if (columns === null) {
      this.#end.writeOwned(reply.error(1_064, '42000', 'This cannot be prepared').bytes());
      return;
    }
    if (!this.#shared.takeStatement()) {
      const text = "Can't create more than max_prepared_stmt_count statements";
      this.#end.writeOwned(reply.error(1_461, '42000', text).bytes());
      return;
    }
    const parameters = sql.split('?').length - 1;
    const id = this.#nextStatement;
    this.#nextStatement += 1;
    this.#statements.set(id, { sql, parameters });
    const head = Buffer.alloc(12);
    head.writeUInt32LE(id, 1);
    head.writeUInt16LE(columns.length, 5);
    head.writeUInt16LE(parameters, 7);
    reply.packet(head);
    if (parameters > 0) {
      reply.columns(new Array(parameters).fill({ name: '?', type: ColumnType.string }));
    }
    if (columns.length > 0) reply.columns(columns);
    this.#end.writeOwned(reply.bytes());
  }

  #execute(payload: Buffer, reply: Reply): void {
    const statement =
      payload.length >= 10 ? this.#statements.get(payload.readUInt32LE(1)) : undefined;
    if (statement === undefined) {
      this.#end.writeOwned(reply.error(1_243, 'HY000', 'Unknown prepared statement').bytes());
      return;
    }
    this.#serve(statement.sql, firstNumber(payload, statement.parameters), reply, true);
  }

  #serve(sql: string, id: number | null, reply: Reply, binary: boolean): void {
    this.#busy = true;
    const end = this.#end;
    const ordinal = end.exchangeStarted(PARENT_NONE, 0, 0);
    this.#ordinal = ordinal;
    const startedAt = this.#shared.now();
    const finish = (result: Result): void => {
      if (end.closed || this.#ordinal !== ordinal) return;
      this.#write(result, reply, binary);
      const status = result.kind === 'error' ? 500 : 200;
      this.#ordinal = 0;
      end.exchangeEnded(ordinal, status, 'none');
      this.#shared.answered(status, startedAt);
      this.#busy = false;
      if (end.ended) end.close('peer_fin');
      else this.#next();
    };
    if (this.#shared.serve(() => finish(executeStatement(sql, id)))) return;
    finish({ kind: 'error', code: 1_041, state: 'HY000', message: 'Out of resources' });
  }

  #write(result: Result, reply: Reply, binary: boolean): void {
    if (result.kind === 'error') reply.error(result.code, result.state, result.message);
    else if (result.kind === 'done') {
      reply.ok(result.affectedRows, result.inserts ? this.#shared.nextInsertId() : 0);
    } else if (binary) reply.binaryRows(result.columns, result.rows);
    else reply.textRows(result.columns, result.rows);
    this.#end.writeOwned(reply.bytes());
  }

  #next(): void {
    const next = this.#waiting.shift();
    if (next !== undefined) this.#command(next.payload, next.sequence);
  }
}

/** The first parameter of COM_STMT_EXECUTE, if it is sent as a number or as decimal digits. */
function firstNumber(payload: Buffer, parameters: number): number | null {
  if (parameters === 0) return null;
  const typesAt = 10 + ((parameters + 7) >> 3) + 1;
  const valueAt = typesAt + 2 * parameters;
  const type = payload[typesAt];
  if (type === TYPE_DOUBLE && payload.length >= valueAt + 8) return payload.readDoubleLE(valueAt);
  if (type === TYPE_LONGLONG && payload.length >= valueAt + 8) {
    return Number(payload.readBigInt64LE(valueAt));
  }
  if (type === ColumnType.long && payload.length >= valueAt + 4)
    return payload.readInt32LE(valueAt);
  const length = payload[valueAt] ?? 0;
  const text = payload.toString('latin1', valueAt + 1, valueAt + 1 + Math.min(length, 20));
  return /^\d+$/.test(text) ? Number(text) : null;
}
