/** The one list of balancing algorithms: a new one is its file and a line here. */
import type { BalancerAlgorithm } from '../../model/topology.ts';
import type { Picker } from '../balancer.ts';
import { flowHash } from './flow-hash.ts';
import { leastLoad } from './least-load.ts';
import { randomTwo } from './random-two.ts';
import { roundRobin } from './round-robin.ts';

export const pickers: Readonly<Record<BalancerAlgorithm, Picker>> = {
  'flow-hash': flowHash,
  'round-robin': roundRobin,
  'least-connections': leastLoad,
  'least-outstanding': leastLoad,
  'random-two': randomTwo,
};
