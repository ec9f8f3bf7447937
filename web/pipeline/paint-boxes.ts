/** Hops: boxes, host frames, slots, and what stands beside them. */
import { State } from '../data/snapshot.ts';
import type { Block, Box, Layout } from './layout.ts';
import { type Scene, SLOTS_FROM } from './paint-pipes.ts';

const FONT = '12px system-ui, sans-serif';
const BOLD = '600 12px system-ui, sans-serif';
const SMALL = '11px system-ui, sans-serif';

/** Slots and waiters of a queue, all replicas together. */
export interface QueueState {
  busy: number;
  idle: number;
  slots: number;
  waiting: number;
}

export function paintHosts(scene: Scene, layout: Layout): void {
  const { context, camera, palette } = scene;
  for (const { name, boxes } of layout.hosts) {
    const u0 = Math.min(...boxes.map((box) => box.u0)) - 10;
    const u1 = Math.max(...boxes.map((box) => box.u1)) + 10;
    const v0 = camera.at(Math.min(...boxes.map((box) => box.v0))) - 4;
    const v1 = camera.at(Math.max(...boxes.map((box) => box.v1))) + 4;
    if (v1 - v0 < 12) continue;
    context.strokeStyle = palette.line;
    context.lineWidth = 1;
    rounded(scene, u0, v0, u1, v1, 8);
    context.stroke();
    const last = boxes.at(-1);
    if (v1 - v0 < 30 || last === undefined) continue;
    context.font = SMALL;
    context.fillStyle = palette.muted;
    context.textAlign = 'right';
    const whole = name.replace('#', ' ');
    if (scene.horizontal) context.fillText(whole, last.u0 - 8, v1 - 6);
    else context.fillText(v1 - v0 < 90 ? (name.split('#')[1] ?? '') : whole, v1 - 8, last.u0 - 6);
  }
}

export function paintBoxes(scene: Scene, layout: Layout): Map<string, QueueState> {
  const queues = new Map<string, QueueState>();
  const cells = cellStates(scene);
  for (const block of layout.blocks) {
    for (const box of block.boxes) {
      const isQueue = box.hop.kind === 'connection-queue';
      if (!isQueue) paintTank(scene, box);
      else addTo(queues, box.hop.name, paintQueue(scene, box, cells.get(box.instance.index)));
    }
  }
  return queues;
}

function addTo(queues: Map<string, QueueState>, name: string, one: QueueState): void {
  const sum = queues.get(name) ?? { busy: 0, idle: 0, slots: 0, waiting: 0 };
  sum.busy += one.busy;
  sum.idle += one.idle;
  sum.slots += one.slots;
  sum.waiting += one.waiting;
  queues.set(name, sum);
}

interface Cells {
  /** By cell: 1 idle, 2 busy. */
  readonly state: number[];
  waiting: number;
}

function cellStates({ snapshot, story }: Scene): Map<number, Cells> {
  const found = new Map<number, Cells>();
  const { acceptor, link } = story.connections;
  const queues = new Set(
    story.face.topology.hops.filter((hop) => hop.kind === 'connection-queue').map((h) => h.name),
  );
  const links = story.face.plan.links.map((one) => queues.has(one.upstream));
  for (let at = 0; at < snapshot.count; at++) {
    const connection = snapshot.index[at] ?? 0;
    if (links[link.get(connection)] !== true) continue;
    const instance = acceptor.get(connection);
    const cells = found.get(instance) ?? { state: [], waiting: 0 };
    found.set(instance, cells);
    const cell = snapshot.cell[at] ?? -1;
    const state = snapshot.state[at];
    if (state === State.waiting) cells.waiting += 1;
    if (cell >= 0 && state !== State.closing) cells.state[cell] = state === State.active ? 2 : 1;
  }
  return found;
}

function paintTank(scene: Scene, box: Box): void {
  const { context, camera, palette } = scene;
  rounded(scene, box.u0, camera.at(box.v0), box.u1, camera.at(box.v1), 6);
  context.fillStyle = palette.tank;
  context.fill();
  context.strokeStyle = palette.line;
  context.lineWidth = 1;
  context.stroke();
}

/** The room in which connections wait is open to the pipes; the slots stand at its far wall. */
function paintQueue(scene: Scene, box: Box, cells: Cells | undefined): QueueState {
  const { context, camera, palette, bundles } = scene;
  const [v0, v1] = [camera.at(box.v0), camera.at(box.v1)];
  const wall = box.u0 + (box.u1 - box.u0) * SLOTS_FROM;
  rounded(scene, wall, v0, box.u1, v1, 6);
  context.fillStyle = palette.tank;
  context.fill();
  rounded(scene, box.u0, v0, box.u1, v1, 6);
  context.strokeStyle = palette.line;
  context.lineWidth = 1;
  context.stroke();
  const count = bundles.cellsOf(box);
  const waiting = cells?.waiting ?? 0;
  const states = Array.from({ length: count }, (_, cell) => cells?.state[cell] ?? 0);
  const size = (v1 - v0) / count;
  if (size >= 3) paintCells(scene, box, wall, states, waiting > 0);
  else paintGauge(scene, box, wall, states, waiting > 0);
  const busy = states.filter((state) => state === 2).length;
  const idle = states.filter((state) => state === 1).length;
  return { busy, idle, slots: count, waiting };
}

function paintCells(
  scene: Scene,
  box: Box,
  wall: number,
  states: readonly number[],
  someWait: boolean,
): void {
  const { context, camera, palette } = scene;
  const [v0, v1] = [camera.at(box.v0), camera.at(box.v1)];
  const size = (v1 - v0) / states.length;
  const inset = Math.min(3, size * 0.16);
  const [u0, u1] = [wall + 4, box.u1 - 4];
  states.forEach((state, cell) => {
    const top = v0 + cell * size + inset;
    const bottom = v0 + (cell + 1) * size - inset;
    rounded(scene, u0, top, u1, bottom, Math.min(4, size / 4));
    context.lineWidth = 1;
    if (state === 0) {
      context.strokeStyle = palette.line;
      context.stroke();
      return;
    }
    context.fillStyle = state === 2 ? palette.active : someWait ? palette.hoarded : palette.idle;
    context.fill();
  });
}

/** Slots too small to be seen one by one: how many of them are what. */
function paintGauge(
  scene: Scene,
  box: Box,
  wall: number,
  states: readonly number[],
  someWait: boolean,
): void {
  const { context, camera, palette } = scene;
  const [v0, v1] = [camera.at(box.v0), camera.at(box.v1)];
  const share = (state: number): number =>
    states.filter((one) => one === state).length / states.length;
  const busy = share(2) * (v1 - v0);
  const idle = share(1) * (v1 - v0);
  fill(scene, wall + 2, v0, box.u1 - 2, v0 + busy, palette.active);
  fill(
    scene,
    wall + 2,
    v0 + busy,
    box.u1 - 2,
    v0 + busy + idle,
    someWait ? palette.hoarded : palette.idle,
  );
  context.lineWidth = 1;
}

function fill(
  { context, horizontal }: Scene,
  u0: number,
  v0: number,
  u1: number,
  v1: number,
  colour: string,
): void {
  context.fillStyle = colour;
  if (horizontal) context.fillRect(u0, v0, u1 - u0, v1 - v0);
  else context.fillRect(v0, u0, v1 - v0, u1 - u0);
}

function rounded(
  { context, horizontal }: Scene,
  u0: number,
  v0: number,
  u1: number,
  v1: number,
  radius: number,
): void {
  const across = Math.max(v1 - v0, 0.5);
  context.beginPath();
  if (horizontal) context.roundRect(u0, v0, u1 - u0, across, Math.min(radius, across / 2));
  else context.roundRect(v0, u0, across, u1 - u0, Math.min(radius, across / 2));
}

export function paintLabels(
  scene: Scene,
  layout: Layout,
  queues: ReadonlyMap<string, QueueState>,
): void {
  const { context, palette } = scene;
  for (const block of layout.blocks) {
    const queue = queues.get(block.hop.name);
    const beside = layout.blocks.filter((one) => one.u0 === block.u0);
    // On narrow screens hops that lie beside each other share one label.
    if (!layout.horizontal && beside[0] !== block) continue;
    const more = !layout.horizontal && beside.length > 1 ? ` +${beside.length - 1}` : '';
    const named = more === '' ? [block] : beside;
    const [name, facts] = [`${block.hop.name}${more}`, factsOf(block, queue, named)];
    const centre = (block.u0 + block.u1) / 2;
    context.textAlign = layout.horizontal ? 'center' : 'left';
    const edge = layout.horizontal && block.u0 < 20;
    if (edge) context.textAlign = 'left';
    if (layout.horizontal && block.u1 > layout.width - 20) context.textAlign = 'right';
    const u = edge ? block.u0 : context.textAlign === 'right' ? block.u1 : centre;
    const [x, y] = layout.horizontal ? [u, labelAt(scene, layout, block) + 14] : [10, centre - 3];
    if (layout.horizontal && y < layout.labels) continue;
    context.font = BOLD;
    context.fillStyle = palette.text;
    context.fillText(name, x, y);
    context.font = SMALL;
    context.fillStyle = palette.muted;
    context.fillText(facts, x, y + 14);
  }
  for (const link of scene.story.links) paintLinkLabel(scene, layout, link.index);
}

/** Labels over everything stay; those further down move with what is below them. */
function labelAt({ camera }: Scene, layout: Layout, block: Block): number {
  return block.v0 === layout.labels ? block.v0 : camera.at(block.v0);
}

/** `named`: the blocks that share the label, of one kind. */
function factsOf(
  { hop, boxes }: Block,
  queue: QueueState | undefined,
  named: readonly Block[],
): string {
  const sum = (of: (one: Block['hop']) => number): string =>
    named.reduce((total, one) => total + of(one.hop), 0).toLocaleString('en');
  const hosts = boxes.length > 1 ? `${boxes.length} x ` : '';
  switch (hop.kind) {
    case 'clients':
      return `${sum((one) => (one.kind === 'clients' ? one.count : 0))} clients`;
    case 'edge':
      return `${sum((one) => (one.kind === 'edge' ? one.locations : 0))} locations`;
    case 'gateway':
      return `${hop.nodes} nodes`;
    case 'connection-queue':
      return queue === undefined ? '' : `${queue.busy + queue.idle} of ${queue.slots} slots`;
    case 'l4-balancer':
    case 'l7-balancer':
      return 'balancer';
    case 'web-server':
      return `${hosts}web server`;
    case 'app':
      return `${hosts}app`;
    case 'database':
      return 'database';
  }
}

function paintLinkLabel(scene: Scene, layout: Layout, link: number): void {
  const { context, palette, snapshot, story, horizontal } = scene;
  const { downstream, upstream } = story.face.plan.links[link] ?? {};
  const from = layout.blocks.find((block) => block.hop.name === downstream);
  const to = layout.blocks.find((block) => block.hop.name === upstream);
  if (from === undefined || to === undefined) return;
  // On narrow screens links that lie beside each other share one label.
  const shared = story.links.filter(
    (one) =>
      one.index === link || (!horizontal && layout.blocks.some((block) => isBeside(one, block))),
  );
  function isBeside(one: { readonly downstream: string }, block: Block): boolean {
    return block.hop.name === one.downstream && block.u0 === from?.u0;
  }
  const open = shared.reduce((sum, one) => sum + openOn(snapshot.links[one.index]), 0);
  const opened = shared.reduce(
    (sum, { name }) => sum + story.series.at(`link:${name}`, 'opened', snapshot.at / 1e6),
    0,
  );
  const middle = (from.u1 + to.u0) / 2;
  // Two groups of clients share the room over their pipes.
  const rank = story.links
    .filter((one) => one.upstream === upstream)
    .findIndex((o) => o.index === link);
  const isFirst = layout.blocks.find((block) => block.u0 === from.u0) === from;
  if (!horizontal && !isFirst) return;
  context.textAlign = horizontal ? 'center' : 'left';
  const top = labelAt(scene, layout, from);
  const isOver = rank === 0 && from.v0 === layout.labels;
  const [x, y] = horizontal ? [middle, top + (isOver ? -22 : 14)] : [10, middle + 4];
  if (horizontal && !isOver && y < layout.v0) return;
  context.font = BOLD;
  context.fillStyle = palette.text;
  context.fillText(open.toLocaleString('en'), x, y);
  context.font = FONT;
  context.fillStyle = palette.muted;
  const fresh = Number.isNaN(opened) || opened === 0 ? 'open' : `+${Math.round(opened)}/s`;
  if (horizontal) context.fillText(fresh, x, y + 14);
  else context.fillText(fresh, x + 10 + context.measureText(open.toLocaleString('en')).width, y);
}

function openOn(states: Int32Array = new Int32Array(0)): number {
  return states.reduce((sum, one) => sum + one, 0) - (states[State.closing] ?? 0);
}
