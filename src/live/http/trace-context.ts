/**
 * W3C Trace Context (https://www.w3.org/TR/trace-context/, version 00) as the thread through
 * foreign hops: a relay in front of, say, a real nginx writes into `traceparent` which exchange
 * of which connection end a request travels on, and the hop behind nginx reads it.
 *
 *   traceparent: 00-<trace id, 32 hex>-<parent id, 16 hex>-01
 *   trace id  = "hammer" (12 hex) + process (4) + end (8) + exchange (8)
 *   parent id = end (8) + exchange (8)
 *
 * Ends and exchanges count from 1, so neither id is all zeros, which the standard forbids.
 */

export interface TraceOrigin {
  readonly process: number;
  readonly end: number;
  readonly exchange: number;
}

const MARK = '68616d6d6572';
const OWN = /^00-68616d6d6572([0-9a-f]{4})([0-9a-f]{8})([0-9a-f]{8})-\2\3-[0-9a-f]{2}$/;

/** Length of a traceparent value of version 00. */
export const TRACEPARENT_LENGTH = 55;

export function encodeTraceparent(process: number, end: number, exchange: number): string {
  const endHex = hex(end, 8);
  const exchangeHex = hex(exchange, 8);
  return `00-${MARK}${hex(process, 4)}${endHex}${exchangeHex}-${endHex}${exchangeHex}-01`;
}

/** Whose exchange a value names; null for a value that is not ours. */
export function decodeTraceparent(value: string): TraceOrigin | null {
  const match = OWN.exec(value);
  if (match === null) return null;
  const [, process, end, exchange] = match;
  return {
    process: Number.parseInt(process ?? '', 16),
    end: Number.parseInt(end ?? '', 16),
    exchange: Number.parseInt(exchange ?? '', 16),
  };
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}
