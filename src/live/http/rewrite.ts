/**
 * Makes the head that a relay sends on: hop-by-hop fields left out (RFC 9110 section 7.6.1),
 * our own added, the version set to ours (section 2.5 of RFC 9112: a relay sends its own),
 * everything else byte for byte. The first piece of the body goes into the same buffer, so that
 * a small message costs one write.
 */
import { writeText } from './characters.ts';
import { field } from './known-fields.ts';
import type { MessageHead } from './message-head.ts';

export interface Rewrite {
  /** Ready-made header lines, each with its CRLF, in latin1. */
  readonly added: string;
  /** What follows leaves without framing: no Transfer-Encoding, no Content-Length. */
  readonly withoutFraming: boolean;
  /** Replaced by one among `added`. */
  readonly withoutTraceparent: boolean;
  /** Upgrade goes on; `added` must name it in a Connection field. */
  readonly withUpgrade: boolean;
}

export const PLAIN_REWRITE: Rewrite = {
  added: '',
  withoutFraming: false,
  withoutTraceparent: false,
  withUpgrade: false,
};

const DIGIT_ONE = 0x31;
const COPIED_BY_HAND_MAX = 256;

/** The rewritten head with bytes[bodyFrom..bodyTo) after it, in a buffer that the caller owns. */
export function rewriteHead(
  head: MessageHead,
  rewrite: Rewrite,
  body: Buffer,
  bodyFrom: number,
  bodyTo: number,
): Buffer {
  const { bytes, base } = head;
  const { added } = rewrite;
  const size = head.size - head.lineFrom - droppedBytes(head, rewrite) + added.length;
  const out = Buffer.allocUnsafe(size + bodyTo - bodyFrom);
  let at = 0;
  let keepFrom = head.lineFrom;
  for (let index = 0; index < head.fieldCount; index++) {
    if (!leftOut(head, rewrite, index)) continue;
    const line = head.lineAt(index);
    at += copyBytes(bytes, base + keepFrom, base + line, out, at);
    keepFrom = head.lineAt(index + 1);
  }
  const end = head.size - 2;
  at += copyBytes(bytes, base + keepFrom, base + end, out, at);
  writeText(out, at, added);
  at += added.length;
  at += copyBytes(bytes, base + end, base + head.size, out, at);
  if (head.minor === 0) out[versionDigitAt(head)] = DIGIT_ONE;
  if (bodyTo > bodyFrom) copyBytes(body, bodyFrom, bodyTo, out, at);
  return out;
}

/**
 * A plain rewrite would change nothing, and the body, which begins at `bodyFrom`, lies right
 * behind the head: both can be sent from where they were read.
 */
export function leavesAsItCame(head: MessageHead, body: Buffer, bodyFrom: number): boolean {
  const { bytes, base, size, droppedCount, minor } = head;
  return droppedCount === 0 && minor === 1 && bytes === body && base + size === bodyFrom;
}

/** Node's copy() costs more than the bytes of a few header lines themselves. */
function copyBytes(from: Buffer, start: number, end: number, to: Buffer, at: number): number {
  if (end - start > COPIED_BY_HAND_MAX) return from.copy(to, at, start, end);
  for (let i = start; i < end; i++) to[at + i - start] = from[i]!;
  return end - start;
}

function droppedBytes(head: MessageHead, rewrite: Rewrite): number {
  if (head.droppedCount === 0 && rewrite === PLAIN_REWRITE) return 0;
  let bytes = 0;
  for (let index = 0; index < head.fieldCount; index++) {
    if (leftOut(head, rewrite, index)) bytes += head.lineAt(index + 1) - head.lineAt(index);
  }
  return bytes;
}

function leftOut(head: MessageHead, rewrite: Rewrite, index: number): boolean {
  const id = head.idOf(index);
  if (head.dropped(index)) return !(rewrite.withUpgrade && id === field.upgrade);
  if (id === field.traceparent) return rewrite.withoutTraceparent;
  return rewrite.withoutFraming && (id === field.transferEncoding || id === field.contentLength);
}

/** `HTTP/1.x` begins a status line and ends a request line. */
function versionDigitAt(head: MessageHead): number {
  return head.kind === 'response' ? 7 : head.fieldsAt - head.lineFrom - 3;
}
