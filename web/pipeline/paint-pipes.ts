/**
 * Pipes. Where there is room each connection is a line; where there is not, a bundle is drawn as
 * bands, one a state, as thick as their share. Lines of one state are stroked in one go: what
 * costs is the stroke, not the line.
 */
import { type Snapshot, STATES, State } from '../data/snapshot.ts';
import type { Story } from '../data/story.ts';
import type { Bundle, Bundles } from './bundles.ts';
import type { Camera } from './camera.ts';
import type { Palette } from './palette.ts';

export interface Scene {
  readonly context: CanvasRenderingContext2D;
  readonly horizontal: boolean;
  readonly story: Story;
  readonly snapshot: Snapshot;
  readonly bundles: Bundles;
  readonly camera: Camera;
  readonly palette: Palette;
}

/** Lanes closer than this on the screen are drawn as a band. */
const OPEN_PITCH = 1.4;
/** Widths of active pipes, by requests in the last second. */
const WIDTHS = [1.6, 2.4, 3.4, 4.6];
const DRAWN: readonly State[] = [
  State.idle,
  State.held,
  State.closing,
  State.active,
  State.waiting,
];

export function isOpen(bundle: Bundle, camera: Camera): boolean {
  return bundle.pitch * camera.zoom >= OPEN_PITCH;
}

export function paintPipes(scene: Scene): void {
  for (const bundle of scene.bundles.bundles) {
    if (bundle.count === 0) continue;
    if (isOpen(bundle, scene.camera)) paintLines(scene, bundle);
    else paintBands(scene, bundle);
  }
}

/** A pipe's way from one point along and across to another. */
export function way(
  { context, horizontal }: Pick<Scene, 'context' | 'horizontal'>,
  [u0, v0]: readonly [number, number],
  [u1, v1]: readonly [number, number],
  begin: 'move' | 'join' = 'move',
): void {
  const middle = (u0 + u1) / 2;
  if (horizontal) {
    if (begin === 'move') context.moveTo(u0, v0);
    else context.lineTo(u0, v0);
    context.bezierCurveTo(middle, v0, middle, v1, u1, v1);
    return;
  }
  if (begin === 'move') context.moveTo(v0, u0);
  else context.lineTo(v0, u0);
  context.bezierCurveTo(v0, middle, v1, middle, v1, u1);
}

/** Where pipes end along the flow: at a slot's cell, or at the wall of the box. */
export function reach(bundle: Bundle, cell: number): number {
  const { u0, u1, hop } = bundle.to;
  if (hop.kind !== 'connection-queue') return u0;
  return cell >= 0 ? u0 + (u1 - u0) * SLOTS_FROM : u0 + (u1 - u0) * 0.12;
}

/** The part of a queue's box at which its slots begin; before it is where connections wait. */
export const SLOTS_FROM = 0.62;

function paintLines(scene: Scene, bundle: Bundle): void {
  const { context, snapshot, bundles, camera, palette, story } = scene;
  const pitch = bundle.pitch * camera.zoom;
  for (const state of DRAWN) {
    const buckets = state === State.active ? WIDTHS.length : 1;
    for (let bucket = 0; bucket < buckets; bucket++) {
      context.beginPath();
      let any = false;
      for (let at = bundle.first; at < bundle.first + bundle.count; at++) {
        const position = bundles.order[at] ?? 0;
        if (snapshot.state[position] !== state) continue;
        const connection = snapshot.index[position] ?? 0;
        if (state === State.active && bucketOf(story, connection, snapshot.at) !== bucket) continue;
        const cell = snapshot.cell[position] ?? -1;
        const [from, to] = bundles.endsOf(connection, bundle, cell);
        const begin = [bundle.from.u1, camera.at(from)] as const;
        way(scene, begin, [reach(bundle, cell), camera.at(to)]);
        any = true;
      }
      if (!any) continue;
      context.strokeStyle = palette[STATES[state] ?? 'idle'];
      const width = state === State.active ? (WIDTHS[bucket] ?? 1) : widthOf(state);
      context.lineWidth = Math.min(width, Math.max(pitch * 0.8, 1));
      context.setLineDash(state === State.waiting ? [5, 3] : state === State.held ? [1.5, 3] : []);
      context.stroke();
    }
  }
  context.setLineDash([]);
}

function widthOf(state: State): number {
  return state === State.waiting ? 1.8 : 1.1;
}

function bucketOf(story: Story, connection: number, at: number): number {
  const head = story.connections.id.get(story.connections.headOf(connection));
  const began = story.exchanges.began(head, at - 1e6, at, 16);
  if (began <= 1) return 0;
  if (began <= 4) return 1;
  return began <= 12 ? 2 : 3;
}

function paintBands(scene: Scene, bundle: Bundle): void {
  const { snapshot, bundles, camera, context, palette } = scene;
  const counts = new Float64Array(STATES.length);
  let slotted = 0;
  for (let at = bundle.first; at < bundle.first + bundle.count; at++) {
    const position = bundles.order[at] ?? 0;
    const state = snapshot.state[position] ?? 0;
    counts[state] = (counts[state] ?? 0) + 1;
    if ((snapshot.cell[position] ?? -1) >= 0) slotted += 1;
  }
  const thick = Math.max(bundle.count * bundle.pitch * camera.zoom, 1.5);
  let offset = -thick / 2;
  const [from, to] = [camera.at(bundle.fromCentre), camera.at(bundle.toCentre)];
  for (const state of DRAWN) {
    const own = (thick * (counts[state] ?? 0)) / bundle.count;
    if (own === 0) continue;
    const inside = slotted > 0 && (state === State.idle || state === State.active);
    const end = reach(bundle, inside ? 0 : -1);
    context.beginPath();
    way(scene, [bundle.from.u1, from + offset], [end, to + offset]);
    way(scene, [end, to + offset + own], [bundle.from.u1, from + offset + own], 'join');
    context.closePath();
    context.fillStyle = palette[STATES[state] ?? 'idle'];
    context.fill();
    offset += own;
  }
}
