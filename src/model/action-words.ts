/** What a mark says of an action that was taken, when its author gave it no text. */
import type { Action } from './topology.ts';

export function describe(action: Action): string {
  const { action: kind, ...rest } = action;
  if (action.action === 'set') {
    const { path: setting, to } = action;
    return `${setting} = ${typeof to === 'object' ? JSON.stringify(to) : to}`;
  }
  return `${kind} ${Object.entries(rest)
    .filter(([key]) => key !== 'at' && key !== 'text')
    .map(([key, value]) => `${key} ${value}`)
    .join(', ')}`;
}
