/** Closed-form answers about a topology, and how far the simulator is from them. */
export type { Answer, Quantity, Standing } from './answer.ts';
export { type Compared, compare, cycleOf } from './compare.ts';
export { explain } from './explain.ts';
export { afterStall, keyOf, type Measured, measured, type Window } from './simulated.ts';
export { steadyTopology } from './steady.ts';
