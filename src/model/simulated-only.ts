/** What of a topology only a simulation can do: a live run says so, and goes on without. */
import type { Topology } from './topology.ts';

/** `ip_local_port_range` of Linux, 32768-60999; the default of `ephemeralPorts`. */
export const LINUX_PORTS = 28_232;

export function simulatedOnly(topology: Topology): string[] {
  const found: string[] = [];
  for (const hop of topology.hops) {
    if (hop.upstreamDelay > 0) {
      found.push(`${hop.name}.upstreamDelay: links have the delay of this machine`);
    }
    if ('ephemeralPorts' in hop && hop.ephemeralPorts !== LINUX_PORTS) {
      found.push(`${hop.name}.ephemeralPorts: hops share the ports of this machine`);
    }
  }
  const actions = [...topology.timeline, ...topology.faults].map(({ action }) => action);
  if (actions.includes('stop-accepting')) {
    found.push('the action stop-accepting: hops go on accepting');
  }
  return found.map((what) => `simulated only, without effect in a live run: ${what}`);
}
