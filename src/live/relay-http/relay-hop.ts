/** A LiveHop around a Relay: what the four L7 hops have in common as hops. */
import type { Endpoint } from '../../model/run.ts';
import type { Action } from '../../model/topology.ts';
import { HostFaults } from '../hops/host-faults.ts';
import type { LiveHop } from '../runtime/context.ts';
import type { Relay } from './relay.ts';

export interface RelayHopParts {
  /** Called once all endpoints are known. */
  readonly begin?: () => void;
  /** Actions of this kind of hop; true if taken. */
  readonly apply?: (action: Action) => boolean;
  readonly stop?: () => void;
}

export function relayHop(relay: Relay, parts: RelayHopParts = {}): LiveHop {
  const faults = new HostFaults(relay.ctx, relay.listeners);
  return {
    listen: (): Promise<readonly Endpoint[]> => relay.listen(),
    begin: () => parts.begin?.(),
    apply: (action) => (parts.apply?.(action) ?? false) || faults.apply(action),
    endLoad() {},
    async stop() {
      parts.stop?.();
      relay.stop();
      await faults.stop();
    },
  };
}
