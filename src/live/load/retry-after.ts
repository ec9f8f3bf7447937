/**
 * The Retry-After field of a 429 or 5xx answer (RFC 9110 section 10.2.3): seconds, or a date,
 * which is compared with this machine's wall clock.
 */
import type { MessageHead } from '../http/message-head.ts';

/** A server that asks for more is waited for no longer than this: a day. */
const SECONDS_MAX = 86_400;
const NAME = 'retry-after';

/** Whole seconds, rounded up; 0 without the field, or where it makes no sense. */
export function retryAfter(head: MessageHead, wallClockMs: () => number): number {
  for (let index = 0; index < head.fieldCount; index++) {
    const name = head.name(index);
    if (name.length !== NAME.length || name.toLowerCase() !== NAME) continue;
    const value = head.value(index);
    if (/^\d{1,10}$/.test(value)) return Math.min(Number(value), SECONDS_MAX);
    const date = Date.parse(value);
    if (Number.isNaN(date)) return 0;
    return Math.min(Math.max(0, Math.ceil((date - wallClockMs()) / 1_000)), SECONDS_MAX);
  }
  return 0;
}
