/**
 * Least connections (L4) and least outstanding requests (L7, ALB): the target with the least
 * load. Among equals the first from the turn's place on, so that ties do not all go to one target.
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
