/**
 * Flow hash (NLB): the hash of protocol, addresses, ports and TCP sequence number picks the
 * target. Even only on average: with few flows some targets get several times the others' share.
 */
import type { Picker } from '../balancer.ts';

export const flowHash: Picker = ({ eligible, hash }) => eligible[hash % eligible.length] ?? -1;
