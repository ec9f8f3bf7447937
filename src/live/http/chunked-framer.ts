/**
 * The chunked coding (RFC 9112 section 7.1), incremental and strict:
 *
 *   SIZE ─(;)─► EXTENSION ─► SIZE_LF ─► DATA ─► DATA_CR ─► DATA_LF ─► SIZE
 *               name[=token or "quoted"] [;...]
 *                               └ size 0 ─► LINE ─► NAME ─► VALUE ─► LINE_LF ─► LINE
 *                                            └─CR─► END_LF ─► done
 *
 * Limits: 13 digits of a size, 16 KiB of extensions in one body (CVE-2023-39326 is what happens
 * without), 16 KiB of trailers. No bare LF, no space around a size or an extension. Trailer
 * fields must be well formed, and none may be one that frames or routes a message (RFC 9110
 * section 6.5.1: who merges trailers into the head would be told another length); which of the
 * others make sense is for the endpoints to say.
 */
import {
  CHARACTER_CLASS,
  COLON,
  CR,
  FIELD_VALUE,
  HEX,
  LF,
  SEMICOLON,
  TOKEN,
} from './characters.ts';
import { failures, type MessageFailure } from './failure.ts';
import { isProtected, knownField } from './known-fields.ts';

const SIZE_DIGITS_MAX = 13;
const EXTENSION_BYTES_MAX = 16 * 1_024;
const TRAILER_BYTES_MAX = 16 * 1_024;
/** `transfer-encoding` is the longest name that matters. */
const NAME_BYTES_MAX = 17;

const SIZE = 0;
const EXTENSION_NAME = 1;
const SIZE_LF = 2;
const DATA = 3;
const DATA_CR = 4;
const DATA_LF = 5;
const LINE = 6;
const NAME = 7;
const VALUE = 8;
const LINE_LF = 9;
const END_LF = 10;
const EXTENSION_VALUE = 11;
const QUOTED = 12;
const QUOTED_PAIR = 13;
const QUOTED_END = 14;

const QUOTE = 0x22;
const EQUALS = 0x3d;
const BACKSLASH = 0x5c;

export class ChunkedFramer {
  done = false;
  failure: MessageFailure | null = null;
  onPayload: ((from: number, to: number) => void) | null = null;
  #state = SIZE;
  #digits = 0;
  #left = 0;
  #extensionBytes = 0;
  #trailerBytes = 0;
  #tokenBytes = 0;
  /** The name of a trailer field; longer ones are none that we know. */
  readonly #name = new Uint8Array(NAME_BYTES_MAX);

  begin(): void {
    this.done = false;
    this.failure = null;
    this.#state = SIZE;
    this.#digits = 0;
    this.#left = 0;
    this.#extensionBytes = 0;
    this.#trailerBytes = 0;
  }

  /** Returns the end of what belongs to the body (after its last byte, or at the fault). */
  feed(bytes: Buffer, from: number, to: number): number {
    let at = from;
    while (at < to && !this.done && this.failure === null) {
      if (this.#state === DATA) {
        const taken = Math.min(this.#left, to - at);
        this.onPayload?.(at, at + taken);
        at += taken;
        this.#left -= taken;
        if (this.#left === 0) this.#state = DATA_CR;
      } else {
        this.#state = this.#framing(bytes[at]!);
        if (this.failure === null) at += 1;
      }
    }
    return at;
  }

  /** Reads one byte of framing; returns the next state. */
  #framing(byte: number): number {
    switch (this.#state) {
      case SIZE:
        return this.#size(byte);
      case EXTENSION_NAME:
      case EXTENSION_VALUE:
      case QUOTED:
      case QUOTED_PAIR:
      case QUOTED_END:
        return this.#extension(byte);
      case SIZE_LF:
        return this.#expect(byte, LF, this.#left === 0 ? LINE : DATA, failures.chunkSize);
      case DATA_CR:
        return this.#expect(byte, CR, DATA_LF, failures.chunkEnd);
      case DATA_LF:
        this.#digits = 0;
        return this.#expect(byte, LF, SIZE, failures.chunkEnd);
      default:
        return this.#trailer(byte);
    }
  }

  #size(byte: number): number {
    if ((CHARACTER_CLASS[byte]! & HEX) !== 0) {
      this.#digits += 1;
      if (this.#digits > SIZE_DIGITS_MAX) return this.#fail(failures.chunkTooLarge);
      // The low nibble of a letter is its value less 9, for both cases.
      const value = byte <= 57 ? byte - 48 : (byte & 15) + 9;
      this.#left = this.#left * 16 + value;
      return SIZE;
    }
    if (this.#digits > 0 && byte === CR) return SIZE_LF;
    if (this.#digits > 0 && byte === SEMICOLON) return this.#begin(EXTENSION_NAME);
    return this.#fail(failures.chunkSize);
  }

  #extension(byte: number): number {
    this.#extensionBytes += 1;
    const state = this.#state;
    const kind = CHARACTER_CLASS[byte]!;
    if (this.#extensionBytes > EXTENSION_BYTES_MAX) return this.#fail(failures.chunkExtension);
    if (state === QUOTED || state === QUOTED_PAIR) {
      if ((kind & FIELD_VALUE) === 0) return this.#fail(failures.chunkExtension);
      if (state === QUOTED_PAIR) return QUOTED;
      if (byte === BACKSLASH) return QUOTED_PAIR;
      return byte === QUOTE ? QUOTED_END : QUOTED;
    }
    if (state !== QUOTED_END && (kind & TOKEN) !== 0) {
      this.#tokenBytes += 1;
      return state;
    }
    const named = this.#tokenBytes > 0 || state === QUOTED_END;
    if (named && byte === CR) return SIZE_LF;
    if (named && byte === SEMICOLON) return this.#begin(EXTENSION_NAME);
    if (state === EXTENSION_NAME && named && byte === EQUALS) return this.#begin(EXTENSION_VALUE);
    if (state === EXTENSION_VALUE && !named && byte === QUOTE) return QUOTED;
    return this.#fail(failures.chunkExtension);
  }

  #trailer(byte: number): number {
    this.#trailerBytes += 1;
    if (this.#trailerBytes > TRAILER_BYTES_MAX) return this.#fail(failures.trailerTooLarge);
    switch (this.#state) {
      case LINE:
        if (byte === CR) return END_LF;
        this.#begin(NAME);
        return this.#trailerName(byte);
      case NAME:
        return this.#trailerName(byte);
      case VALUE:
        if (byte === CR) return LINE_LF;
        if ((CHARACTER_CLASS[byte]! & FIELD_VALUE) === 0) return this.#fail(failures.trailer);
        return VALUE;
      case LINE_LF:
        return this.#expect(byte, LF, LINE, failures.trailer);
      default:
        this.done = byte === LF;
        return this.#expect(byte, LF, END_LF, failures.trailer);
    }
  }

  #trailerName(byte: number): number {
    if ((CHARACTER_CLASS[byte]! & TOKEN) !== 0) {
      if (this.#tokenBytes < NAME_BYTES_MAX) this.#name[this.#tokenBytes] = byte;
      this.#tokenBytes += 1;
      return NAME;
    }
    if (byte !== COLON || this.#tokenBytes === 0) return this.#fail(failures.trailer);
    const isShort = this.#tokenBytes <= NAME_BYTES_MAX;
    if (isShort && isProtected(knownField(this.#name, 0, this.#tokenBytes))) {
      return this.#fail(failures.trailerField);
    }
    return VALUE;
  }

  /** Begins a token. */
  #begin(state: number): number {
    this.#tokenBytes = 0;
    return state;
  }

  #expect(byte: number, wanted: number, next: number, failure: MessageFailure): number {
    return byte === wanted ? next : this.#fail(failure);
  }

  #fail(failure: MessageFailure): number {
    this.failure = failure;
    return this.#state;
  }
}
