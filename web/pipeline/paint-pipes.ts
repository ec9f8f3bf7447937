/**
 * Pipes. Where there is room each connection is a line; where there is not, a line stands for
 * several. Lines of one state are stroked in one go: what costs is the stroke, not the line.
 */
import { type Snapshot, STATES, State } from '../data/snapshot.ts';
import type { Story } from '../data/story.ts';
import type { Bundle, Bundles } from './bundles.ts';
import type { Camera } from './camera.ts';
import type { DashFillings } from './dash-fillings.ts';
import type { Layout } from './layout.ts';
import type { Palette } from './palette.ts';
import { STRAND, stroke } from './strokes.ts';
import { way, wayInView } from './ways.ts';

export interface Scene {
  readonly context: CanvasRenderingContext2D;
  readonly horizontal: boolean;
  readonly story: Story;
  readonly snapshot: Snapshot;
  readonly bundles: Bundles;
  readonly camera: Camera;
  readonly layout: Layout;
  readonly palette: Palette;
  /** Positions across between which something is seen. */
  readonly visible: Ends;
  /** Fillings of dashes for what is closed, by state. */
  readonly dashes: DashFillings;
}

type Ends = readonly [number, number];

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

/** Behind what is meant everything else pales. */
const PALE = 0.72;
const MEANT_WIDTH = 3;

export function paintMeant(scene: Scene, meant: Uint8Array): void {
  const { context, palette, layout } = scene;
  context.globalAlpha = PALE;
  context.fillStyle = palette.surface;
  context.fillRect(0, 0, layout.width, layout.height);
  context.globalAlpha = 1;
  for (const bundle of scene.bundles.bundles) paintMeantOf(scene, bundle, meant);
}

/** As many lines as there is room for: each then stands for several connections. */
function paintMeantOf(scene: Scene, bundle: Bundle, meant: Uint8Array): void {
  const { context, snapshot, bundles, camera, palette } = scene;
  const own = [...bundles.order.subarray(bundle.first, bundle.first + bundle.count)].filter(
    (position) => meant[position] === 1,
  );
  const room = Math.max(1, bundle.count * bundle.pitch * camera.zoom) / STRAND;
  const step = Math.max(1, own.length / room);
  for (const state of DRAWN) {
    context.beginPath();
    let any = false;
    for (let at = 0; at < own.length; at += step) {
      const position = own[Math.floor(at)] ?? 0;
      if (snapshot.state[position] !== state) continue;
      const cell = snapshot.cell[position] ?? -1;
      const ends = bundles.endsOf(snapshot.index[position] ?? 0, bundle, cell);
      const [from, to] = [camera.at(ends[0]), camera.at(ends[1])];
      if (isBeyond(scene, from) && isBeyond(scene, to)) continue;
      wayInView(scene, scene.visible, [bundle.from.u1, from], [reach(bundle, cell), to]);
      any = true;
    }
    if (!any) continue;
    context.strokeStyle = palette.hoarded;
    context.lineWidth = Math.min(MEANT_WIDTH, Math.max(bundle.pitch * camera.zoom, 1.6));
    context.stroke();
  }
}

/** Lines that a bundle is drawn with. */
export function linesOf(bundle: Bundle, camera: Camera): number {
  if (isOpen(bundle, camera)) return bundle.count;
  const thick = thicknessOf(bundle, camera);
  return Math.max(1, Math.min(bundle.count, Math.round(thick / STRAND)));
}

function thicknessOf(bundle: Bundle, camera: Camera): number {
  return Math.max(bundle.count * bundle.pitch * camera.zoom, 2);
}

export function paintPipes(scene: Scene): void {
  for (const bundle of scene.bundles.bundles) {
    if (bundle.count === 0) continue;
    if (isOpen(bundle, scene.camera)) paintLines(scene, bundle);
    else paintStrands(scene, bundle);
  }
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
        const cell = snapshot.cell[position] ?? -1;
        const ends = bundles.endsOf(connection, bundle, cell);
        const [from, to] = [camera.at(ends[0]), camera.at(ends[1])];
        if (isBeyond(scene, from) && isBeyond(scene, to)) continue;
        if (state === State.active && bucketOf(story, connection, snapshot.at) !== bucket) continue;
        wayInView(scene, scene.visible, [bundle.from.u1, from], [reach(bundle, cell), to]);
        any = true;
      }
      if (!any) continue;
      const width = state === State.active ? (WIDTHS[bucket] ?? 1) : widthOf(state);
      const thick = Math.min(width, Math.max(pitch * 0.8, 1));
      stroke(context, palette, state, thick, scene.dashes.line(state));
    }
  }
}

/** A pipe is drawn if one of its ends is in view: those that only pass by would hide it. */
function isBeyond({ visible: [least, most] }: Scene, v: number): boolean {
  return v < least || v > most;
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
  const thick = thicknessOf(bundle, camera);
  const [from, to] = [camera.at(bundle.fromCentre), camera.at(bundle.toCentre)];
  paintGround(scene, bundle, thick);
  const strands = linesOf(bundle, camera);
  let offset = -thick / 2;
  for (const state of DRAWN) {
    const share = (counts[state] ?? 0) / bundle.count;
    if (share === 0) continue;
    const dashes = scene.dashes.filling(state, to + offset);
    if (dashes !== null) {
      // Who waits has no slot, so that all end at the same wall.
      const until = offset + thick * share;
      band(scene, bundle, [from + offset, from + until], [to + offset, to + until]);
      context.fillStyle = dashes;
      context.fill();
      offset = until;
      continue;
    }
    const own = Math.max(1, Math.round(strands * share));
    const slots = cells.get(state) ?? [];
    const inSlots = slots.length > (counts[state] ?? 0) / 2;
    context.beginPath();
    for (let one = 0; one < own; one++) {
      const at = offset + ((one + 0.5) * thick * share) / own;
      const cell = inSlots ? (slots[Math.floor((one * slots.length) / own)] ?? -1) : -1;
      const end = cell >= 0 ? camera.at(bundles.cellAt(bundle.to, cell)) : to + at;
      if (isBeyond(scene, from + at) && isBeyond(scene, end)) continue;
      wayInView(scene, scene.visible, [bundle.from.u1, from + at], [reach(bundle, cell), end]);
    }
    stroke(context, palette, state, Math.min(STRAND * 0.62, 1.6), null);
    offset += thick * share;
  }
}

function paintGround(scene: Scene, bundle: Bundle, thick: number): void {
  const { context, camera, palette } = scene;
  const [from, to] = [camera.at(bundle.fromCentre), camera.at(bundle.toCentre)];
  const half = thick / 2;
  band(scene, bundle, [from - half, from + half], [to - half, to + half]);
  context.globalAlpha = 0.12;
  context.fillStyle = palette.idle;
  context.fill();
  context.globalAlpha = 1;
}

/** A path around a part of a bundle: these positions where it begins, those where it ends. */
function band(scene: Scene, bundle: Bundle, from: Ends, to: Ends): void {
  const end = reach(bundle, -1);
  scene.context.beginPath();
  way(scene, [bundle.from.u1, from[0]], [end, to[0]]);
  way(scene, [end, to[1]], [bundle.from.u1, from[1]], 'join');
  scene.context.closePath();
}
