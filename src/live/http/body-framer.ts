/**
 * BodyFramer: says which bytes belong to a message body and when it ends (RFC 9112 sections
 * 6 and 7). It changes nothing: a relay passes the bytes on as they came, chunked stays chunked.
 */
import { ChunkedFramer } from './chunked-framer.ts';
import type { MessageFailure } from './failure.ts';
import type { BodyKind } from './message-head.ts';

export class BodyFramer {
  kind: BodyKind = 'none';
  /** The whole body was read; an until-close body ends with its connection only. */
  done = true;
  failure: MessageFailure | null = null;
  #left = 0;
  #chunked: ChunkedFramer | null = null;

  /** `length` is that of a body of kind `length`, in bytes. */
  begin(kind: BodyKind, length: number): void {
    this.kind = kind;
    this.failure = null;
    this.done = kind === 'none';
    this.#left = length;
    if (kind !== 'chunked') return;
    this.#chunked ??= new ChunkedFramer();
    this.#chunked.begin();
  }

  /**
   * Reads bytes[from..to); returns the end of what belongs to this body: less than `to` only
   * if the body is done (the rest is the next message's) or failed.
   */
  feed(bytes: Buffer, from: number, to: number): number {
    if (this.kind === 'until-close') return to;
    if (this.done || this.failure !== null) return from;
    if (this.kind === 'length') {
      const taken = Math.min(this.#left, to - from);
      this.#left -= taken;
      this.done = this.#left === 0;
      return from + taken;
    }
    const chunked = this.#chunked;
    if (chunked === null) return from;
    const end = chunked.feed(bytes, from, to);
    this.done = chunked.done;
    this.failure = chunked.failure;
    return end;
  }

  /** As `feed`, and calls `payload` with each piece of the body without its framing. */
  feedPayload(
    bytes: Buffer,
    from: number,
    to: number,
    payload: (from: number, to: number) => void,
  ): number {
    const chunked = this.#chunked;
    if (this.kind !== 'chunked' || chunked === null) {
      const end = this.feed(bytes, from, to);
      if (end > from) payload(from, end);
      return end;
    }
    chunked.onPayload = payload;
    const end = this.feed(bytes, from, to);
    chunked.onPayload = null;
    return end;
  }
}
