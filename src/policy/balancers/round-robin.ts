/** Round robin: each in turn, in order of registration. */
import type { Picker } from '../balancer.ts';

export const roundRobin: Picker = ({ eligible, turn }) => eligible[turn % eligible.length] ?? -1;
