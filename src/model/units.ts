/**
 * Units. Inside waterhammer a duration or an instant is an integer-valued double of
 * microseconds (safe to 2^53, 285 years; an int32 would overflow after 36 minutes), a size is
 * bytes and a rate is events per second. Documents write them with units (`75s`, `64KiB`);
 * `topology/` converts them at the door, so no other module parses a unit.
 */

/** A duration or an instant in microseconds. */
export type Micros = number;
/** A size in bytes. */
export type Bytes = number;
/** A rate in events per second. */
export type PerSecond = number;

export const MICROS_PER_MILLISECOND = 1_000;
export const MICROS_PER_SECOND = 1_000_000;
export const MICROS_PER_DAY = 86_400 * MICROS_PER_SECOND;
