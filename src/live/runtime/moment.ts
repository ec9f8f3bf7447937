/**
 * What happens because of one socket's event happens at one moment: a relayed request asks for the
 * time a dozen times, which would cost more than some of its policies. So the clock is read once
 * for each event (clock.ts), and for everything outside of events whenever it is asked.
 */
export const moment = {
  /** Of the event that is being handled, from 1; 0 between events. */
  number: 0,
};
