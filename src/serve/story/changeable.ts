/** Settings that may change while a run goes on, with what they were at its start. */
import type { Hop, Topology } from '../../model/topology.ts';
import { CHANGEABLE } from '../../topology/change.ts';

export interface ChangeableSetting {
  readonly hop: string;
  readonly setting: string;
  /** In the units of the model; null where the start has a shape instead of a value. */
  readonly value: number | string | boolean | null;
}

export function changeablePaths({ hops }: Topology): ChangeableSetting[] {
  return hops.flatMap((hop) =>
    CHANGEABLE[hop.kind]
      .filter((setting) => fits(hop, setting))
      .map((setting) => ({ hop: hop.name, setting, value: valueAt(hop, setting) })),
  );
}

/** A rate is for open arrivals, a share of users awake for closed ones. */
function fits(hop: Hop, setting: string): boolean {
  if (hop.kind !== 'clients') return true;
  if (setting === 'rate') return hop.workload.kind === 'open';
  return setting !== 'awake' || hop.workload.kind === 'closed';
}

function valueAt(hop: Hop, setting: string): ChangeableSetting['value'] {
  let value: unknown = hop;
  for (const name of setting.split('.')) {
    value = typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
  }
  switch (typeof value) {
    case 'number':
    case 'string':
    case 'boolean':
      return value;
    default:
      return null;
  }
}
