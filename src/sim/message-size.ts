/**
 * Sizes of messages on simulated connections, in bytes: what the live engine's hops send, give or
 * take a header. They count in the books of bytes; nothing in the simulation depends on them.
 */
export const REQUEST_BYTES = 120;
export const ANSWER_BYTES = 180;
export const QUERY_BYTES = 60;
export const ROW_BYTES = 90;
