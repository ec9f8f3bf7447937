/**
 * Applies a checked `set` action to a hop's settings: a copy with the one setting replaced, or
 * null where the action is not about this hop.
 */
import type { Action, Hop } from '../../model/topology.ts';

export function setting<H extends Hop>(action: Action, hop: H): H | null {
  if (action.action !== 'set') return null;
  const [name, ...path] = action.path.split('.');
  if (name !== hop.name || path.length === 0) return null;
  return replaced(hop, path, action.to);
}

function replaced<T extends object>(holder: T, path: readonly string[], value: unknown): T {
  const [key, ...rest] = path;
  if (key === undefined) return holder;
  const present: unknown = Reflect.get(holder, key);
  const next =
    rest.length > 0 && typeof present === 'object' && present !== null
      ? replaced(present, rest, value)
      : value;
  return { ...holder, [key]: next };
}
