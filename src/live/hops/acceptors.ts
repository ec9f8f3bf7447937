/**
 * How many listeners a link gets at a hop that stands once for everybody.
 *
 * libuv accepts one connection per listening socket in a turn of the event loop (uv__server_io,
 * libuv 1.46). A turn of a busy process takes tens of milliseconds: one socket then takes in 14
 * connections a second, and what waits in its backlog makes the pools before it open more. So
 * edge, gateway and balancers listen on several ports, and those before them draw one for each
 * connection. Hops on hosts have a listener per host anyway; programs that are not ours get one
 * address.
 */
import type { Link } from '../../model/run.ts';
import type { HopContext } from '../runtime/context.ts';

const ACCEPTORS = 8;

export function acceptorsOf(
  { plan, instance }: Pick<HopContext, 'plan' | 'instance'>,
  link: Link,
): number {
  if (instance.host !== null || link.purpose === 'alive') return 1;
  const isOurs = plan.instances.some((one) => one.hop === link.downstream && one.process >= 0);
  return isOurs ? ACCEPTORS : 1;
}
