/** Which pipe lies under a point. */
import type { Snapshot } from '../data/snapshot.ts';
import type { Bundles } from './bundles.ts';
import type { Camera } from './camera.ts';
import { isOpen, reach } from './paint-pipes.ts';

const NEAR = 5;

/** Index of a connection; -1 = none is near. */
export function pick(
  { bundles, snapshot, camera }: { bundles: Bundles; snapshot: Snapshot; camera: Camera },
  u: number,
  v: number,
): number {
  let best = -1;
  let nearest = NEAR;
  for (const bundle of bundles.bundles) {
    if (u < bundle.from.u1 || u > bundle.to.u1) continue;
    for (let at = bundle.first; at < bundle.first + bundle.count; at++) {
      const position = bundles.order[at] ?? 0;
      const connection = snapshot.index[position] ?? 0;
      const cell = snapshot.cell[position] ?? -1;
      const end = reach(bundle, cell);
      if (u > end) continue;
      const [from, to] = bundles.endsOf(connection, bundle, cell);
      const along = (u - bundle.from.u1) / (end - bundle.from.u1);
      const distance = Math.abs(camera.at(from + (to - from) * ease(along)) - v);
      if (distance < nearest || (!isOpen(bundle, camera) && distance < nearest)) {
        nearest = distance;
        best = connection;
      }
    }
  }
  return best;
}

/** How far across a pipe has come, so far along: the curve that `way` draws. */
function ease(along: number): number {
  let s = along;
  for (let step = 0; step < 4; step++) {
    const error = 1.5 * s * (1 - s) + s * s * s - along;
    s -= error / Math.max(1.5 - 3 * s + 3 * s * s, 0.2);
  }
  return s * s * (3 - 2 * s);
}
