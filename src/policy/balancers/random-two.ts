/** Two random choices: the less loaded of two drawn targets (Mitzenmacher 2001); ties to the first drawn. */
import type { Picker } from '../balancer.ts';

export const randomTwo: Picker = ({ eligible, load, draw }) => {
  const first = eligible[draw(eligible.length)] ?? -1;
  const second = eligible[draw(eligible.length)] ?? -1;
  return load(second) < load(first) ? second : first;
};
