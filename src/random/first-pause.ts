/**
 * How long a closed user waits before its first request.
 *
 * Spread evenly over a span, all of them begin to ask within it, and those that have asked already
 * ask again: at its end the load is up to twice what it will be. With a pause like any other first,
 * users are in the middle of thinking when time begins; where think times are exponential the load
 * is the steady one from the first second.
 */
import type { Workload } from '../model/topology.ts';
import type { Micros } from '../model/units.ts';
import { sampler } from './distribution.ts';
import type { RandomStream } from './stream.ts';

type Closed = Extract<Workload, { kind: 'closed' }>;

export function firstPause(settings: Closed, stream: RandomStream): () => Micros {
  const { startWithin, thinkTime } = settings;
  if (startWithin === 'thinkTime') return sampler(thinkTime, stream);
  return () => Math.floor(stream.unit() * startWithin);
}
