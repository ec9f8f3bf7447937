/**
 * HeadParser: a strict, incremental parser of HTTP/1.1 message heads (RFC 9112 sections 2-5).
 *
 *   START ─► METHOD ─► TARGET ─► VERSION ─► LINE_LF ─► FIELD ─► NAME ─► VALUE ─► FIELD_LF ─┐
 *   (response) VERSION ─► STATUS ─► REASON ─┘            ▲  └─CR─► END_LF ─► DONE          │
 *                                                        └────────────────────────────────┘
 *
 * One pass, a byte at a time; bytes that arrived in one piece are parsed where they lie, and
 * only an incomplete head is copied (into a buffer of its own, at most 16 KiB), where parsing
 * goes on at the byte it stopped at. So the result never depends on how bytes were cut. Header
 * lines that are whole and well formed, as nearly all are, are read without the steps.
 *
 * Strict means: no bare LF or CR, no folded lines, no space before a colon, no control
 * characters, exactly `HTTP/1.0` or `HTTP/1.1`, one empty line allowed before a request line
 * (RFC 9112 section 2.2). Everything it accepts `node:http` accepts too (there is a test).
 * Cost: 1-2 ns per byte.
 */
import {
  CHARACTER_CLASS,
  COLON,
  CR,
  DIGIT,
  FIELD_VALUE,
  LF,
  SPACE,
  TAB,
  TARGET as TARGET_CLASS,
  TOKEN,
} from './characters.ts';
import { failures, type MessageFailure } from './failure.ts';
import { MessageHead, type MessageKind } from './message-head.ts';
import { isRequestTarget, methodAt } from './request-line.ts';

/** Bytes of a head, its final empty line included. */
export const HEAD_BYTES_MAX = 16 * 1_024;
const CARRY_AT_FIRST = 1_024;
/** Longer than any registered method. */
const METHOD_BYTES_MAX = 32;

const START = 0;
const START_LF = 1;
const METHOD = 2;
const TARGET = 3;
const VERSION = 4;
const STATUS = 5;
const REASON = 6;
const LINE_LF = 7;
const FIELD = 8;
const NAME = 9;
const VALUE_START = 10;
const VALUE = 11;
const FIELD_LF = 12;
const END_LF = 13;
const DONE = 14;
const FAILED = 15;

const VERSION_TEXT = 'HTTP/1.';
const VERSION_BYTES = Buffer.from(`${VERSION_TEXT}1`);
/** `HTTP/1.1 200 `; a request line that has less behind its target is left to the steps. */
const STATUS_START = 13;

export class HeadParser {
  readonly head: MessageHead;
  failure: MessageFailure | null = null;
  #state = START;
  /** Where the next byte to look at is, relative to the head's base. */
  #position = 0;
  /** Where the element being read began. */
  #from = 0;
  #nameFrom = 0;
  #nameTo = 0;
  #carry: Buffer | null = null;
  #carried = 0;

  constructor(kind: MessageKind) {
    this.head = new MessageHead(kind);
    this.reset();
  }

  get done(): boolean {
    return this.#state === DONE;
  }

  /** Some of a message was read: more than an empty line before it. */
  get begun(): boolean {
    return this.#position > this.head.lineFrom;
  }

  get failed(): boolean {
    return this.#state === FAILED;
  }

  /** Makes ready for the next message. */
  reset(): void {
    this.head.reset();
    this.failure = null;
    this.#state = this.head.kind === 'request' ? START : VERSION;
    this.#position = 0;
    this.#from = 0;
    this.#carry = null;
    this.#carried = 0;
  }

  /**
   * Reads bytes[from..to); returns where it stopped: after the head's last byte if `done`,
   * else at `to`. What follows the head is the body's.
   */
  feed(bytes: Buffer, from: number, to: number): number {
    if (this.#carry !== null) return this.#feedCarried(this.#carry, bytes, from, to);
    this.#scan(bytes, from, Math.min(to - from, HEAD_BYTES_MAX));
    if (this.#state === DONE) return from + this.#position;
    if (this.#state === FAILED) return to;
    this.#carry = Buffer.allocUnsafe(Math.max(CARRY_AT_FIRST, to - from));
    bytes.copy(this.#carry, 0, from, to);
    this.#carried = to - from;
    return to;
  }

  #feedCarried(carry: Buffer, bytes: Buffer, from: number, to: number): number {
    const before = this.#carried;
    const added = Math.min(to - from, HEAD_BYTES_MAX - before);
    let room = carry;
    if (before + added > carry.length) {
      room = Buffer.allocUnsafe(Math.min(HEAD_BYTES_MAX, 2 * (before + added)));
      carry.copy(room, 0, 0, before);
      this.#carry = room;
    }
    bytes.copy(room, before, from, from + added);
    this.#carried = before + added;
    this.#scan(room, 0, this.#carried);
    return this.#state === DONE ? from + this.#position - before : to;
  }

  #scan(bytes: Buffer, base: number, limit: number): void {
    this.head.bytes = bytes;
    this.head.base = base;
    while (this.#position < limit && this.#state < DONE) {
      this.#state = this.#step(bytes, base, limit);
    }
    if (this.#state < DONE && this.#position >= HEAD_BYTES_MAX) {
      this.#state = this.#fail(failures.headTooLarge);
    }
  }

  /** Reads one byte or a run of them; returns the next state. */
  #step(bytes: Buffer, base: number, limit: number): number {
    switch (this.#state) {
      case START:
        return this.#start(bytes[base + this.#position]!);
      case METHOD:
        return this.#method(bytes, base, limit);
      case TARGET:
        return this.#target(bytes, base, limit);
      case VERSION: {
        const state = this.#wholeVersion(bytes, base, limit);
        return state === VERSION ? this.#version(bytes[base + this.#position]!) : state;
      }
      case STATUS:
        return this.#status(bytes[base + this.#position]!);
      case REASON:
        return this.#reason(bytes, base, limit);
      case FIELD: {
        const state = this.#wholeLines(bytes, base, limit);
        if (state !== FIELD || this.#position === limit) return state;
        return this.#field(bytes[base + this.#position]!);
      }
      case NAME:
        return this.#name(bytes, base, limit);
      case VALUE_START:
        return this.#valueStart(bytes[base + this.#position]!);
      case VALUE:
        return this.#value(bytes, base, limit);
      default:
        return this.#lineFeed(bytes[base + this.#position]!);
    }
  }

  #start(byte: number): number {
    if (byte !== CR || this.#position > 0) return this.#enter(METHOD);
    this.#position += 1;
    return START_LF;
  }

  #method(bytes: Buffer, base: number, limit: number): number {
    const at = this.#run(bytes, base, limit, TOKEN);
    if (at - this.#from > METHOD_BYTES_MAX) return this.#fail(failures.method);
    if (at === limit) return this.#state;
    if (bytes[base + at] !== SPACE || at === this.#from) return this.#fail(failures.method);
    this.head.method = methodAt(bytes, base + this.#from, base + at);
    this.#position += 1;
    return this.#enter(TARGET);
  }

  #target(bytes: Buffer, base: number, limit: number): number {
    const at = this.#run(bytes, base, limit, TARGET_CLASS);
    if (at === limit) return this.#state;
    const { head } = this;
    head.targetFrom = this.#from;
    head.targetTo = at;
    if (bytes[base + at] !== SPACE) return this.#fail(failures.target);
    if (!isRequestTarget(head.method, bytes, base + this.#from, base + at)) {
      return this.#fail(failures.target);
    }
    this.#position += 1;
    return this.#enter(VERSION);
  }

  /**
   * Reads the version and what stands beside it (the end of a request line, the code of a status
   * line) where all of it is there and as nearly always; else returns VERSION, for the steps.
   */
  #wholeVersion(bytes: Buffer, base: number, limit: number): number {
    const at = this.#position;
    if (at !== this.#from || limit - at < STATUS_START) return VERSION;
    for (let i = 0; i < VERSION_BYTES.length; i++) {
      if (bytes[base + at + i] !== VERSION_BYTES[i]) return VERSION;
    }
    const { head } = this;
    const next = base + at + VERSION_BYTES.length;
    if (head.kind === 'request') {
      if (bytes[next] !== CR) return VERSION;
      this.#position = at + VERSION_BYTES.length + 1;
    } else {
      const status = statusAt(bytes, next + 1);
      if (bytes[next] !== SPACE || bytes[next + 4] !== SPACE || status < 100) return VERSION;
      head.status = status;
      this.#position = at + STATUS_START;
    }
    head.minor = 1;
    return this.#enter(head.kind === 'request' ? LINE_LF : REASON);
  }

  /** One byte of `HTTP/1.x` and the byte after it. */
  #version(byte: number): number {
    const index = this.#position - this.#from;
    this.#position += 1;
    const isDigit = (CHARACTER_CLASS[byte]! & DIGIT) !== 0;
    if (index < VERSION_TEXT.length) {
      if (byte === VERSION_TEXT.charCodeAt(index)) return VERSION;
      const isMajor = index === 5 && isDigit;
      return this.#fail(isMajor ? failures.version : failures.startLine);
    }
    if (index === VERSION_TEXT.length) {
      this.head.minor = byte - 48;
      if (byte === 48 || byte === 49) return VERSION;
      return this.#fail(isDigit ? failures.version : failures.startLine);
    }
    if (this.head.kind === 'response') {
      if (byte !== SPACE) return this.#fail(failures.startLine);
      return this.#enter(STATUS);
    }
    if (byte !== CR) return this.#fail(byte === LF ? failures.bareLf : failures.startLine);
    return this.#enter(LINE_LF);
  }

  /** Three digits and the space after them. */
  #status(byte: number): number {
    const index = this.#position - this.#from;
    this.#position += 1;
    if (index < 3) {
      if ((CHARACTER_CLASS[byte]! & DIGIT) === 0) return this.#fail(failures.statusCode);
      this.head.status = this.head.status * 10 + (byte - 48);
      return STATUS;
    }
    if (byte !== SPACE || this.head.status < 100) return this.#fail(failures.statusCode);
    return this.#enter(REASON);
  }

  #reason(bytes: Buffer, base: number, limit: number): number {
    const at = this.#run(bytes, base, limit, FIELD_VALUE);
    if (at === limit) return this.#state;
    const byte = bytes[base + at];
    if (byte !== CR) return this.#fail(byte === LF ? failures.bareLf : failures.startLine);
    this.#position += 1;
    return this.#enter(LINE_LF);
  }

  /** Reads header lines as long as they are whole; what is not is left to the steps. */
  #wholeLines(bytes: Buffer, base: number, limit: number): number {
    const { head } = this;
    for (let from = this.#position; ; ) {
      let at = from;
      while (at < limit && (CHARACTER_CLASS[bytes[base + at]!]! & TOKEN) !== 0) at += 1;
      const nameTo = at;
      if (at === from || at === limit || bytes[base + at] !== COLON) return FIELD;
      at += 1;
      while (at < limit && (bytes[base + at] === SPACE || bytes[base + at] === TAB)) at += 1;
      const valueFrom = at;
      while (at < limit && (CHARACTER_CLASS[bytes[base + at]!]! & FIELD_VALUE) !== 0) at += 1;
      if (at + 1 >= limit || bytes[base + at] !== CR || bytes[base + at + 1] !== LF) return FIELD;
      const valueTo = withoutBlanks(bytes, base, valueFrom, at);
      const failure = head.addField(from, nameTo, valueFrom, valueTo, at);
      if (failure !== null) return this.#fail(failure);
      from = at + 2;
      this.#position = from;
    }
  }

  #field(byte: number): number {
    if (byte === CR) {
      this.#position += 1;
      return END_LF;
    }
    if (byte === SPACE || byte === TAB) return this.#fail(failures.foldedLine);
    if (byte === LF) return this.#fail(failures.bareLf);
    return this.#enter(NAME);
  }

  #name(bytes: Buffer, base: number, limit: number): number {
    const at = this.#run(bytes, base, limit, TOKEN);
    if (at === limit) return this.#state;
    if (bytes[base + at] !== COLON || at === this.#from) return this.#fail(failures.fieldName);
    this.#nameFrom = this.#from;
    this.#nameTo = at;
    this.#position += 1;
    return this.#enter(VALUE_START);
  }

  #valueStart(byte: number): number {
    if (byte !== SPACE && byte !== TAB) return this.#enter(VALUE);
    this.#position += 1;
    return VALUE_START;
  }

  #value(bytes: Buffer, base: number, limit: number): number {
    const at = this.#run(bytes, base, limit, FIELD_VALUE);
    if (at === limit) return this.#state;
    const byte = bytes[base + at];
    if (byte !== CR) return this.#fail(byte === LF ? failures.bareLf : failures.fieldValue);
    const to = withoutBlanks(bytes, base, this.#from, at);
    const failure = this.head.addField(this.#nameFrom, this.#nameTo, this.#from, to, at);
    if (failure !== null) return this.#fail(failure);
    this.#position += 1;
    return this.#enter(FIELD_LF);
  }

  /** The second half of a line end. */
  #lineFeed(byte: number): number {
    if (byte !== LF) return this.#fail(failures.bareCr);
    this.#position += 1;
    if (this.#state === END_LF) {
      const failure = this.head.conclude(this.#position);
      if (failure !== null) return this.#fail(failure);
      return this.#enter(DONE);
    }
    if (this.#state === START_LF) {
      this.head.lineFrom = this.#position;
      return this.#enter(METHOD);
    }
    if (this.#state === LINE_LF) this.head.fieldsAt = this.#position;
    return FIELD;
  }

  /** Advances over bytes of a class; returns where the first other byte is, or `limit`. */
  #run(bytes: Buffer, base: number, limit: number, bit: number): number {
    let at = this.#position;
    while (at < limit && (CHARACTER_CLASS[bytes[base + at]!]! & bit) !== 0) at += 1;
    this.#position = at;
    return at;
  }

  /** Begins a new element at the next byte. */
  #enter(state: number): number {
    this.#from = this.#position;
    return state;
  }

  #fail(failure: MessageFailure): number {
    this.failure = failure;
    return FAILED;
  }
}

/** Where a value ends that goes from `from` to `to`, without blanks behind it. */
function withoutBlanks(bytes: Buffer, base: number, from: number, to: number): number {
  let end = to;
  while (end > from && (bytes[base + end - 1] === SPACE || bytes[base + end - 1] === TAB)) end -= 1;
  return end;
}

/** The three digits at `at`, or -1. */
function statusAt(bytes: Buffer, at: number): number {
  let status = 0;
  for (let i = at; i < at + 3; i++) {
    if ((CHARACTER_CLASS[bytes[i]!]! & DIGIT) === 0) return -1;
    status = status * 10 + (bytes[i]! - 48);
  }
  return status;
}
