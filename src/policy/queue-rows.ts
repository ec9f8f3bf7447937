/** How `ConnectionQueues` notes connections and queues in rows (rows.ts). */

/** What a connection's row has to have for the queues, from an even column on. */
export const QUEUE_WORDS = 12;

/** Words of a connection, behind its state. */
export const FLAGS = 1;
export const HELD_LINKS = 2;
export const LINE_LINKS = 4;
/** In the list of the idle or in that of the silent. */
export const QUIET_LINKS = 6;
/** Its queue's number + 1. */
export const QUEUE = 8;
/** A double, behind half of the words: since when it is held, or an active one is quiet. */
export const SINCE = 5;

export const State = { gone: 0, held: 1, active: 2, yielded: 3, closing: 4 } as const;

/**
 * Of an active one, how it is quiet: not (0); `idle` since its last byte went toward the client;
 * `silent` since its grant, without a byte. Of others: bytes from the client are known to wait,
 * kept back by the driver; it yielded, and its overcommit was not counted.
 */
export const Flag = { idle: 1, silent: 2, bytesWait: 4, uncounted: 8 } as const;

/** Words of a queue: the ends of its four lists, then doubles. */
export const WORDS_OF_QUEUE = 32;
export const HELD = 0;
export const LINE = 3;
export const IDLE = 6;
export const SILENT = 9;
export const WAKE_AT = 6;
/** Counts are doubles, since they go on for as long as a live engine runs. */
export const ACTIVE = 7;
export const YIELDED = 8;
export const GRANTED = 9;
export const YIELDS = 10;
export const OVERCOMMIT = 11;
export const OVERFLOW = 12;
