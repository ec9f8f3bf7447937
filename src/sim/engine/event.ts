/**
 * What an event is: the kind of those whom it concerns, and which of them. Kinds that come with
 * every request are known by number and go straight to who keeps them in rows; everything else is
 * an actor (engine.ts).
 */

/** Bits of an event's number that say its kind; the rest says whom it concerns. */
export const KIND_BITS = 4;
export const KIND_MASK = (1 << KIND_BITS) - 1;

export const EventOf = {
  actor: 0,
  user: 1,
  station: 2,
  pool: 3,
  server: 4,
  queue: 5,
  exchangeLane: 6,
  requestLane: 7,
  request: 8,
  transit: 9,
  wake: 10,
} as const;
export type EventOf = (typeof EventOf)[keyof typeof EventOf];

/** What follows from an event within the same instant: kinds of consequences. */
export const Next = {
  openConnection: 0,
  grantWaiter: 1,
  rejectWaiter: 2,
  closePooled: 3,
  closeServed: 4,
  holdFlow: 5,
  grantFlow: 6,
  yieldFlow: 7,
  closeFlow: 8,
  deliver: 9,
} as const;
export type Next = (typeof Next)[keyof typeof Next];
