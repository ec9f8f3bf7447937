/**
 * Least connections (L4) and least outstanding requests (L7, ALB): the target with the least
 * load; among equals the one after the last turn's place, so that ties do not all go to the first.
 */
import type { Picker } from '../balancer.ts';

export const leastLoad: Picker = ({ eligible, turn, load }) => {
  let best = -1;
  let least = Number.POSITIVE_INFINITY;
  for (let offset = 0; offset < eligible.length; offset++) {
    const target = eligible[(turn + offset) % eligible.length] ?? -1;
    const amount = load(target);
    if (amount < least) {
      least = amount;
      best = target;
    }
  }
  return best;
};
