/**
 * Pipes. Where there is room each connection is a line; where there is not, a line stands for
 * several. Lines of one state are stroked in one go: what costs is the stroke, not the line.
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

/** Lanes closer than this on the screen are drawn as strands. */
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
    else paintStrands(scene, bundle);
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
      const width = state === State.active ? (WIDTHS[bucket] ?? 1) : widthOf(state);
      stroke(context, palette, state, Math.min(width, Math.max(pitch * 0.8, 1)));
    }
  }
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

/**
 * Too many to be drawn one by one: as many strands as there is room for, each for as many
 * connections, on a ground that shows how wide the bundle is.
 */
function paintStrands(scene: Scene, bundle: Bundle): void {
  const { snapshot, bundles, camera, context, palette } = scene;
  const counts = new Float64Array(STATES.length);
  const cells = new Map<State, number[]>();
  for (let at = bundle.first; at < bundle.first + bundle.count; at++) {
    const position = bundles.order[at] ?? 0;
    const state = (snapshot.state[position] ?? 0) as State;
    counts[state] = (counts[state] ?? 0) + 1;
    const cell = snapshot.cell[position] ?? -1;
    if (cell >= 0) cells.set(state, [...(cells.get(state) ?? []), cell]);
  }
  const thick = Math.max(bundle.count * bundle.pitch * camera.zoom, 2);
  const [from, to] = [camera.at(bundle.fromCentre), camera.at(bundle.toCentre)];
  paintGround(scene, bundle, thick);
  const strands = Math.max(1, Math.min(bundle.count, Math.round(thick / STRAND)));
  let offset = -thick / 2;
  for (const state of DRAWN) {
    const share = (counts[state] ?? 0) / bundle.count;
    if (share === 0) continue;
    const own = Math.max(1, Math.round(strands * share));
    const slots = cells.get(state) ?? [];
    const inSlots = slots.length > (counts[state] ?? 0) / 2;
    context.beginPath();
    for (let one = 0; one < own; one++) {
      const at = offset + ((one + 0.5) * thick * share) / own;
      const cell = inSlots ? (slots[Math.floor((one * slots.length) / own)] ?? -1) : -1;
      const end = cell >= 0 ? camera.at(bundles.cellAt(bundle.to, cell)) : to + at;
      way(scene, [bundle.from.u1, from + at], [reach(bundle, cell), end]);
    }
    stroke(context, palette, state, Math.min(STRAND * 0.62, 1.6));
    offset += thick * share;
  }
}

/** Room of a strand on the screen. */
const STRAND = 2.6;

function paintGround(scene: Scene, bundle: Bundle, thick: number): void {
  const { context, camera, palette } = scene;
  const [from, to] = [camera.at(bundle.fromCentre), camera.at(bundle.toCentre)];
  const half = thick / 2;
  const end = reach(bundle, -1);
  context.beginPath();
  way(scene, [bundle.from.u1, from - half], [end, to - half]);
  way(scene, [end, to + half], [bundle.from.u1, from + half], 'join');
  context.closePath();
  context.globalAlpha = 0.12;
  context.fillStyle = palette.idle;
  context.fill();
  context.globalAlpha = 1;
}

function stroke(
  context: CanvasRenderingContext2D,
  palette: Palette,
  state: State,
  width: number,
): void {
  context.strokeStyle = palette[STATES[state] ?? 'idle'];
  context.lineWidth = width;
  context.setLineDash(DASHES[state] ?? []);
  context.stroke();
  context.setLineDash([]);
}

/** States are told apart by more than their colour. */
const DASHES: Readonly<Record<State, number[]>> = { 0: [], 1: [], 2: [5, 3], 3: [1.5, 3], 4: [] };
