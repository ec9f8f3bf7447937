/**
 * Draws the pipeline at an instant: hops from left to right, every connection a line on its
 * link, coloured by state; queues with their slots, host by host. A pure function of scene, time
 * and size onto a canvas context, or onto anything that has its few methods. No Node API in here.
 */
import type { Palette } from '../palette.ts';
import { type FlowState, headlineAt, type Scene, type SceneHop, stateOf } from './scene.ts';

/** What is used of a CanvasRenderingContext2D. */
export interface Brush {
  fillStyle: unknown;
  strokeStyle: unknown;
  lineWidth: number;
  globalAlpha: number;
  font: string;
  textAlign: unknown;
  fillRect(x: number, y: number, width: number, height: number): void;
  strokeRect(x: number, y: number, width: number, height: number): void;
  beginPath(): void;
  moveTo(x: number, y: number): void;
  bezierCurveTo(a: number, b: number, c: number, d: number, x: number, y: number): void;
  stroke(): void;
  fillText(text: string, x: number, y: number): void;
}

/** The picture is laid out on this and scaled by whoever owns the canvas. */
export const PICTURE = { width: 1280, height: 720 } as const;

const TOP = 190;
const BOTTOM = 610;
const SIDE = 70;
const BOX = 84;
const FONT = 'system-ui, "DejaVu Sans", sans-serif';
const ORDER: readonly FlowState[] = ['closing', 'idle', 'active', 'held'];
const WIDTHS: Readonly<Record<FlowState, number>> = { closing: 1, idle: 1, active: 2.4, held: 1.6 };

const MANY = 300;

/** Where a hop, or one of its replicas, is drawn. */
interface Place {
  readonly x: number;
  readonly y: number;
  readonly height: number;
}

export function paint(brush: Brush, scene: Scene, second: number, palette: Palette): void {
  brush.globalAlpha = 1;
  brush.fillStyle = palette.paper;
  brush.fillRect(0, 0, PICTURE.width, PICTURE.height);
  const counts = paintFlows(brush, scene, second, palette);
  for (const hop of scene.hops) paintHop(brush, scene, hop, palette);
  paintSlots(brush, scene, counts, palette);
  paintHead(brush, scene, second, counts, palette);
  paintFoot(brush, scene, second, palette);
}

interface Counts {
  /** Working and waiting connections of each queue's replica: `hop host`. */
  readonly working: ReadonlyMap<string, number>;
  readonly taken: ReadonlyMap<string, number>;
  readonly waiting: ReadonlyMap<string, number>;
}

function placeOf(scene: Scene, hop: SceneHop, replica: number): Place {
  const columns = Math.max(...scene.hops.map((one) => one.column)) + 1;
  const gap = (PICTURE.width - 2 * SIDE - BOX) / Math.max(columns - 1, 1);
  const peers = scene.hops.filter((one) => one.column === hop.column);
  const share = (BOTTOM - TOP) / peers.length;
  const rows = Math.max(hop.hosts, 1);
  const y = TOP + peers.indexOf(hop) * share + (replica * share) / rows;
  const space = rows > 20 ? 1 : 8;
  return { x: SIDE + hop.column * gap, y, height: share / rows - space };
}

function paintFlows(brush: Brush, scene: Scene, second: number, palette: Palette): Counts {
  const lines: Record<FlowState, [number, number, number, number][]> = {
    closing: [],
    idle: [],
    active: [],
    held: [],
  };
  const counts = { working: new Map(), taken: new Map(), waiting: new Map() };
  const seen = new Map<string, number>();
  scene.connections.forEach((connection) => {
    const state = stateOf(connection, second);
    const link = scene.links[connection.link];
    const from = scene.hops[link?.from ?? -1];
    const to = scene.hops[link?.to ?? -1];
    if (state === null || from === undefined || to === undefined) return;
    countSlots(counts, { state, from, to, host: connection.host });
    const start = placeOf(scene, from, from.hosts > 0 ? connection.host : 0);
    const end = placeOf(scene, to, to.hosts > 0 ? connection.host : 0);
    const key = `${connection.link} ${connection.host}`;
    const nth = seen.get(key) ?? 0;
    seen.set(key, nth + 1);
    lines[state].push([
      start.x + BOX,
      start.y + start.height * spread(nth, connection.host),
      end.x,
      end.y + end.height * spread(nth, 0),
    ]);
  });
  for (const state of ORDER) {
    brush.strokeStyle = palette[state];
    // Thinner where they are many, so that a crowd does not become one area.
    brush.lineWidth = WIDTHS[state] * (lines[state].length > MANY ? 0.5 : 1);
    brush.globalAlpha = state === 'idle' || state === 'closing' ? 0.7 : 0.85;
    brush.beginPath();
    for (const [x, y, toX, toY] of lines[state]) {
      const middle = (x + toX) / 2;
      brush.moveTo(x, y);
      brush.bezierCurveTo(middle, y, middle, toY, toX, toY);
    }
    brush.stroke();
  }
  brush.globalAlpha = 1;
  return counts;
}

/** A low-discrepancy sequence: however many there are, they are spread over 0.08 .. 0.92. */
function spread(nth: number, host: number): number {
  const part = (nth * 0.618_033_988_75 + host * 0.271) % 1;
  return 0.08 + 0.84 * part;
}

function countSlots(
  counts: {
    working: Map<string, number>;
    taken: Map<string, number>;
    waiting: Map<string, number>;
  },
  one: { state: FlowState; from: SceneHop; to: SceneHop; host: number },
): void {
  const add = (map: Map<string, number>, hop: SceneHop): void => {
    const key = `${hop.name} ${one.host}`;
    map.set(key, (map.get(key) ?? 0) + 1);
  };
  if (one.to.slots > 0 && one.state === 'held') add(counts.waiting, one.to);
  if (one.from.slots > 0 && one.state !== 'closing') add(counts.taken, one.from);
  if (one.from.slots > 0 && one.state === 'active') add(counts.working, one.from);
}

function paintHop(brush: Brush, scene: Scene, hop: SceneHop, palette: Palette): void {
  for (let replica = 0; replica < Math.max(hop.hosts, 1); replica++) {
    const { x, y, height } = placeOf(scene, hop, replica);
    brush.fillStyle = palette.panel;
    brush.fillRect(x, y, BOX, height);
    brush.strokeStyle = palette.line;
    brush.lineWidth = 1;
    brush.strokeRect(x + 0.5, y + 0.5, BOX - 1, height - 1);
  }
  const { x, y, height } = placeOf(scene, hop, 0);
  const isAlone = scene.hops.filter((one) => one.column === hop.column).length === 1;
  brush.textAlign = 'center';
  brush.fillStyle = palette.ink;
  brush.font = `600 ${isAlone ? 15 : sizeOf(hop.name)}px ${FONT}`;
  const text = hop.name.length > 13 ? `${hop.name.slice(0, 12)}…` : hop.name;
  brush.fillText(text, x + BOX / 2, isAlone ? y - 12 : y + height / 2 + 5);
}

/** A name that stands in its box must not reach out of it. */
function sizeOf(name: string): number {
  if (name.length < 8) return 15;
  return name.length > 10 ? 10 : 12;
}

/** Slots as squares: at work, taken and idle, free; beside them how many wait. */
function paintSlots(brush: Brush, scene: Scene, counts: Counts, palette: Palette): void {
  for (const hop of scene.hops) {
    if (hop.slots === 0) continue;
    for (let replica = 0; replica < Math.max(hop.hosts, 1); replica++) {
      const place = placeOf(scene, hop, replica);
      const key = `${hop.name} ${replica}`;
      const working = Math.min(counts.working.get(key) ?? 0, hop.slots);
      const taken = Math.min(counts.taken.get(key) ?? 0, hop.slots);
      const columns = Math.min(hop.slots, place.height > 44 ? 5 : 15);
      const size = Math.min(
        (BOX - 14) / columns,
        (place.height - 22) / Math.ceil(hop.slots / columns),
      );
      for (let slot = 0; slot < hop.slots; slot++) {
        const x = place.x + 7 + (slot % columns) * size;
        const y = place.y + 4 + Math.floor(slot / columns) * size;
        const look = slot < working ? palette.active : slot < taken ? palette.idle : palette.line;
        brush.fillStyle = look;
        brush.fillRect(x, y, Math.max(1, size - 2), Math.max(1, size - 2));
      }
      const waiting = counts.waiting.get(key) ?? 0;
      if (waiting === 0 || place.height < 40) continue;
      brush.fillStyle = palette.held;
      brush.textAlign = 'center';
      brush.font = `700 12px ${FONT}`;
      brush.fillText(`${waiting} wait`, place.x + BOX / 2, place.y + place.height - 4);
    }
  }
}

function paintHead(
  brush: Brush,
  scene: Scene,
  second: number,
  counts: Counts,
  palette: Palette,
): void {
  const sum = (map: ReadonlyMap<string, number>): number =>
    [...map.values()].reduce((all, one) => all + one, 0);
  const headline = headlineAt(scene, second);
  const shown = headline === null ? 'none new' : headline.toFixed(headline < 10 ? 1 : 0);
  const write = (x: number, value: string, what: string, colour: string): void => {
    brush.textAlign = 'left';
    brush.fillStyle = colour;
    brush.font = `700 40px ${FONT}`;
    brush.fillText(value, x, 86);
    brush.fillStyle = palette.muted;
    brush.font = `400 15px ${FONT}`;
    brush.fillText(what, x, 112);
  };
  brush.textAlign = 'left';
  brush.fillStyle = palette.ink;
  brush.font = `600 20px ${FONT}`;
  brush.fillText(scene.title, SIDE, 38);
  write(SIDE, shown, `requests per new connection, ${scene.watched.name}`, palette.ink);
  if (scene.slots === 0) return;
  const waiting = sum(counts.waiting);
  const taken = Math.min(sum(counts.taken), scene.slots);
  write(500, `${taken} of ${scene.slots}`, 'slots with a connection', palette.ink);
  write(740, `${Math.min(sum(counts.working), scene.slots)}`, 'of them working', palette.active);
  const trouble = waiting > 0 ? palette.held : palette.muted;
  write(940, `${waiting}`, 'requests wait unread', trouble);
}

/** Seconds after which a caption no longer stands for what is seen. */
const CAPTION_FRESH = 20;

function captionText(caption: Scene['captions'][number] | undefined, second: number): string {
  if (caption === undefined) return '';
  const age = second - caption.second;
  return age < CAPTION_FRESH ? caption.text : `${caption.text}, ${clock(age)} ago`;
}

function clock(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`;
}

function paintFoot(brush: Brush, scene: Scene, second: number, palette: Palette): void {
  const width = PICTURE.width - 2 * SIDE;
  const caption = scene.captions.filter((one) => one.second <= second).at(-1);
  brush.textAlign = 'left';
  brush.fillStyle = palette.ink;
  brush.font = `600 20px ${FONT}`;
  brush.fillText(`${clock(second)}   ${captionText(caption, second)}`, SIDE, 652);
  brush.fillStyle = palette.line;
  brush.fillRect(SIDE, 668, width, 4);
  brush.fillStyle = palette.active;
  brush.fillRect(SIDE, 668, width * Math.min(1, second / Math.max(scene.seconds, 1e-9)), 4);
  brush.fillStyle = palette.muted;
  for (const one of scene.captions) {
    brush.fillRect(SIDE + (width * one.second) / Math.max(scene.seconds, 1e-9), 663, 2, 14);
  }
  brush.font = `400 14px ${FONT}`;
  const key: readonly (readonly [FlowState, string])[] = [
    ['active', 'carries a request'],
    ['idle', 'idle'],
    ['held', 'holds a request unread'],
    ['closing', 'has closed'],
  ];
  key.forEach(([state, text], i) => {
    const x = SIDE + i * 210;
    brush.fillStyle = palette[state];
    brush.fillRect(x, 693, 26, 4);
    brush.fillStyle = palette.muted;
    brush.fillText(text, x + 34, 700);
  });
}
