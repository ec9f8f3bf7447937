/**
 * MessageHead: a parsed request or response head as ranges of the bytes it was read from, and
 * what a relay needs to know of it. One object serves a connection for all its messages.
 *
 * Ranges are relative to `base` in `bytes`. If the head arrived in one piece, `bytes` is the
 * shared read buffer: everything here is valid only during that call.
 *
 * Left out: parsing of any value that does not decide framing, persistence or tracing.
 */
import { CHARACTER_CLASS, equalsIgnoringCase, HOST_VALUE, TAB } from './characters.ts';
import { failures, type MessageFailure } from './failure.ts';
import {
  connectionOptions,
  contentLengthOf,
  field,
  isHopByHop,
  isProtected,
  knownField,
} from './known-fields.ts';
import { readTraceparent, type TraceOrigin } from './trace-context.ts';

/** Header fields in one head (nginx and Node have similar limits by size and count). */
const FIELDS_MAX = 100;
const FIELDS_AT_FIRST = 24;
const NO_BYTES = Buffer.alloc(0);

export type MessageKind = 'request' | 'response';
export type BodyKind = 'none' | 'length' | 'chunked' | 'until-close';

export class MessageHead {
  readonly kind: MessageKind;
  bytes: Buffer = NO_BYTES;
  base = 0;
  /** Length of the head with its final empty line. */
  size = 0;
  /** Where the start line begins: 2 after an ignored empty line, else 0. */
  lineFrom = 0;
  /** Where the first header line begins. */
  fieldsAt = 0;
  fieldCount = 0;
  /** Requests only. */
  method = '';
  targetFrom = 0;
  targetTo = 0;
  /** Responses only. */
  status = 0;
  /** HTTP/1.x */
  minor = 1;
  contentLength = -1;
  chunked = false;
  expectsContinue = false;
  #traceparentField = -1;
  /** Fields that a relay must not pass on. */
  droppedCount = 0;
  close = false;
  keepAlive = false;
  #upgrade = false;
  #upgradeOption = false;
  #withoutUpgrade = false;
  #hosts = 0;
  #nominated: string[] | null = null;
  #ranges = new Uint16Array(4 * FIELDS_AT_FIRST);
  #ids = new Uint8Array(FIELDS_AT_FIRST);
  #dropped = new Uint8Array(FIELDS_AT_FIRST);

  constructor(kind: MessageKind) {
    this.kind = kind;
  }

  reset(): void {
    this.bytes = NO_BYTES;
    this.lineFrom = 0;
    this.fieldCount = 0;
    this.method = '';
    this.status = 0;
    this.contentLength = -1;
    this.chunked = false;
    this.expectsContinue = false;
    this.#traceparentField = -1;
    this.droppedCount = 0;
    this.close = false;
    this.keepAlive = false;
    this.#upgrade = false;
    this.#upgradeOption = false;
    this.#withoutUpgrade = false;
    this.#hosts = 0;
    this.#nominated = null;
  }

  /** Whether the sender lets the connection persist after this message (RFC 9112 section 9.3). */
  get persistent(): boolean {
    if (this.close) return false;
    return this.minor === 1 || this.keepAlive;
  }

  /**
   * The sender offers (or, in a 101, makes) a switch to another protocol (RFC 9110 section 7.8:
   * not in HTTP/1.0, and only when Connection names Upgrade). `h2c` is no offer to us: RFC 9113
   * section 3.1 gave it up, and requests inside would pass unseen and uncounted.
   */
  get offersUpgrade(): boolean {
    return this.#upgrade && this.#upgradeOption && !this.#withoutUpgrade && this.minor === 1;
  }

  get hasHost(): boolean {
    return this.#hosts > 0;
  }

  target(): string {
    return this.#text(this.targetFrom, this.targetTo);
  }

  name(index: number): string {
    return this.#text(this.#ranges[4 * index]!, this.#ranges[4 * index + 1]!);
  }

  value(index: number): string {
    return this.#text(this.#ranges[4 * index + 2]!, this.#ranges[4 * index + 3]!);
  }

  /** Whose exchange the message names by its traceparent; null = nobody's of ours. */
  traceOrigin(): TraceOrigin | null {
    if (this.#traceparentField < 0) return null;
    const at = 4 * this.#traceparentField;
    const { bytes, base } = this;
    return readTraceparent(bytes, base + this.#ranges[at + 2]!, base + this.#ranges[at + 3]!);
  }

  /** Where header line `index` begins; for index = fieldCount, where the empty line begins. */
  lineAt(index: number): number {
    return index < this.fieldCount ? this.#ranges[4 * index]! : this.size - 2;
  }

  dropped(index: number): boolean {
    return this.#dropped[index] !== 0;
  }

  idOf(index: number): number {
    return this.#ids[index]!;
  }

  /** How the body is framed (RFC 9112 section 6.3). `requestMethod` is for responses. */
  bodyKind(requestMethod: string): BodyKind {
    if (this.kind === 'response') {
      const { status } = this;
      if (requestMethod === 'HEAD' || status < 200 || status === 204 || status === 304) {
        return 'none';
      }
    }
    if (this.chunked) return 'chunked';
    if (this.contentLength === 0) return 'none';
    if (this.contentLength > 0) return 'length';
    return this.kind === 'request' ? 'none' : 'until-close';
  }

  /** For the parser: one header line is complete; `lineTo` is where its CR stands. */
  addField(
    nameFrom: number,
    nameTo: number,
    valueFrom: number,
    valueTo: number,
    lineTo: number,
  ): MessageFailure | null {
    const index = this.fieldCount;
    if (index === FIELDS_MAX) return failures.tooManyFields;
    if (index === this.#ids.length) this.#grow();
    const at = 4 * index;
    this.#ranges[at] = nameFrom;
    this.#ranges[at + 1] = nameTo;
    this.#ranges[at + 2] = valueFrom;
    this.#ranges[at + 3] = valueTo;
    const id = knownField(this.bytes, this.base + nameFrom, nameTo - nameFrom);
    this.#ids[index] = id;
    this.#dropped[index] = 0;
    this.fieldCount = index + 1;
    if (id === field.other) return null;
    if (isProtected(id) && (this.#hasTab(nameTo, valueFrom) || this.#hasTab(valueTo, lineTo))) {
      return failures.tab;
    }
    return this.#classify(index, id, valueFrom, valueTo);
  }

  /** For the parser: the empty line was read. Checks what concerns the head as a whole. */
  conclude(size: number): MessageFailure | null {
    this.size = size;
    if (this.chunked) {
      if (this.contentLength >= 0) return failures.bothLengths;
      if (this.minor === 0) return failures.codingInHttp10;
      if (this.kind === 'response' && (this.status < 200 || this.status === 204)) {
        return failures.codingWithoutBody;
      }
    }
    if (this.kind === 'request') {
      const framed = this.chunked || this.contentLength >= 0;
      if (framed && this.method === 'CONNECT') return failures.contentInConnect;
      if (this.#hosts > 1 || (this.#hosts === 0 && this.minor === 1)) return failures.host;
    }
    return this.#nominated === null ? null : this.#dropNominated(this.#nominated);
  }

  #classify(index: number, id: number, from: number, to: number): MessageFailure | null {
    if (isHopByHop(id)) this.#drop(index);
    switch (id) {
      case field.host:
        return this.#host(from, to);
      case field.contentLength: {
        if (this.contentLength >= 0) return failures.contentLength;
        const length = contentLengthOf(this.bytes, this.base + from, this.base + to);
        if (length < 0) return failures.contentLength;
        this.contentLength = length;
        return null;
      }
      case field.transferEncoding:
        if (this.chunked) return failures.repeatedTransferEncoding;
        if (this.#text(from, to).toLowerCase() !== 'chunked') return failures.transferEncoding;
        this.chunked = true;
        return null;
      case field.connection:
        if (this.#says(from, to, 'keep-alive')) this.keepAlive = true;
        else this.#connection(this.#text(from, to));
        return null;
      case field.expect:
        this.expectsContinue = this.#text(from, to).toLowerCase() === '100-continue';
        return null;
      case field.upgrade:
        this.#upgrade = true;
        this.#withoutUpgrade ||= connectionOptions(this.#text(from, to)).includes('h2c');
        return null;
      case field.traceparent:
        this.#traceparentField = index;
        return null;
      default:
        return null;
    }
  }

  /** Legal around a value, but parsers differ on it, so not around one that frames. */
  #hasTab(from: number, to: number): boolean {
    for (let i = from; i < to; i++) if (this.bytes[this.base + i] === TAB) return true;
    return false;
  }

  #host(from: number, to: number): MessageFailure | null {
    if (this.kind === 'response') return null;
    this.#hosts += 1;
    if (this.#hosts > 1) return failures.host;
    for (let i = this.base + from; i < this.base + to; i++) {
      if ((CHARACTER_CLASS[this.bytes[i]!]! & HOST_VALUE) === 0) return failures.host;
    }
    return null;
  }

  #says(from: number, to: number, lower: string): boolean {
    return to - from === lower.length && equalsIgnoringCase(this.bytes, this.base + from, lower);
  }

  #connection(value: string): void {
    for (const option of connectionOptions(value)) {
      if (option === 'close') this.close = true;
      else if (option === 'keep-alive') this.keepAlive = true;
      else if (option === 'upgrade') this.#upgradeOption = true;
      else {
        this.#nominated ??= [];
        this.#nominated.push(option);
      }
    }
  }

  /** RFC 9110 section 7.6.1: fields named in Connection are for this connection only. */
  #dropNominated(nominated: readonly string[]): MessageFailure | null {
    for (let index = 0; index < this.fieldCount; index++) {
      if (this.dropped(index) || !nominated.includes(this.name(index).toLowerCase())) continue;
      if (isProtected(this.#ids[index]!)) return failures.connectionOption;
      this.#drop(index);
    }
    return null;
  }

  #drop(index: number): void {
    this.#dropped[index] = 1;
    this.droppedCount += 1;
  }

  #grow(): void {
    const fields = Math.min(FIELDS_MAX, this.#ids.length * 2);
    const [ranges, ids, dropped] = [this.#ranges, this.#ids, this.#dropped];
    this.#ranges = new Uint16Array(4 * fields);
    this.#ids = new Uint8Array(fields);
    this.#dropped = new Uint8Array(fields);
    this.#ranges.set(ranges);
    this.#ids.set(ids);
    this.#dropped.set(dropped);
  }

  #text(from: number, to: number): string {
    return this.bytes.toString('latin1', this.base + from, this.base + to);
  }
}
