/**
 * Requests in flight when nothing has been answered for a while.
 *
 * An open load adds its rate each second. Closed users ask once each and then wait: of those that
 * think, the share that has asked after d seconds is the distribution of what is left of a think
 * time, (1 / mean) times the integral of its tail up to d (the equilibrium distribution of renewal
 * theory: Cox, Renewal Theory, 1962, section 5.2; 1 - exp(-d / mean) for exponential thinking).
 */
import type { Distribution } from '../model/topology.ts';
import { meanUpTo, moments } from './times.ts';

/** Share of thinking users that ask within d seconds. */
export function askedWithin(think: Distribution, d: number): number {
  const { mean } = moments(think);
  return mean === 0 ? 1 : Math.min(1, meanUpTo(think, d) / mean);
}
