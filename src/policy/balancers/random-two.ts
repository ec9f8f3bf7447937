/**
 * Two random choices: the less loaded of two different drawn targets; ties to the first drawn
 * (Mitzenmacher 2001; nginx `random two least_conn`). Needs no look at all targets, and two of
 * them already avoid most of what a single random choice does wrong.
 */
import type { Picker } from '../balancer.ts';

export const randomTwo: Picker = ({ eligible, load, draw }) => {
  const first = draw(eligible.length);
  const one = eligible[first] ?? -1;
  if (eligible.length === 1) return one;
  // The second is drawn among the others: those from the first's place on move up by one.
  const second = draw(eligible.length - 1);
  const other = eligible[second < first ? second : second + 1] ?? -1;
  return load(other) < load(one) ? other : one;
};
