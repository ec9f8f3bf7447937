/**
 * Bundles: the connections of one group (two replicas, one link) as they lie between two boxes,
 * and which of them are open in a snapshot, sorted by bundle.
 *
 * Pipes lie around the middle of their bundle: lane 0 in the centre, then one above, one below.
 * So a bundle swells where connections pile up.
 */
import { SlotState } from '../../src/model/event.ts';
import type { Group } from '../data/connections.ts';
import type { Snapshot } from '../data/snapshot.ts';
import type { Story } from '../data/story.ts';
import type { Box, Layout } from './layout.ts';

export interface Bundle {
  readonly group: Group;
  readonly from: Box;
  readonly to: Box;
  readonly fromCentre: number;
  readonly toCentre: number;
  /** The less of what both sides give it. */
  readonly extent: number;
  /** Distance of its lanes. */
  pitch: number;
  /** Positions in the snapshot: `order[first]` .. `order[first + count - 1]`. */
  first: number;
  count: number;
}

const PITCH_MAX = 7;

export class Bundles {
  bundles: Bundle[] = [];
  order = new Int32Array(0);
  readonly #story: Story;
  readonly #layout: Layout;
  /** By number of the group. */
  #byGroup: (Bundle | undefined)[] = [];
  #groups = 0;

  constructor(story: Story, layout: Layout) {
    this.#story = story;
    this.#layout = layout;
  }

  /** Sorts what is open into the bundles. */
  sort(snapshot: Snapshot): void {
    this.#renew();
    this.#pitches();
    const { group } = this.#story.connections;
    if (this.order.length < snapshot.count) this.order = new Int32Array(snapshot.index.length);
    for (const bundle of this.bundles) bundle.count = 0;
    for (let at = 0; at < snapshot.count; at++) {
      const bundle = this.#byGroup[group.get(snapshot.index[at] ?? 0)];
      if (bundle !== undefined) bundle.count += 1;
    }
    let first = 0;
    for (const bundle of this.bundles) {
      bundle.first = first;
      first += bundle.count;
      bundle.count = 0;
    }
    for (let at = 0; at < snapshot.count; at++) {
      const bundle = this.#byGroup[group.get(snapshot.index[at] ?? 0)];
      if (bundle === undefined) continue;
      this.order[bundle.first + bundle.count] = at;
      bundle.count += 1;
    }
  }

  bundleOf(connection: number): Bundle | undefined {
    return this.#byGroup[this.#story.connections.group.get(connection)];
  }

  /** Layout positions across at which a connection begins and ends. */
  endsOf(connection: number, bundle: Bundle, cell: number): [number, number] {
    const { connections } = this.#story;
    const lane = connections.lane.get(connection);
    const offset = (lane % 2 === 0 ? lane : -lane - 1) * 0.5 * bundle.pitch;
    let from = bundle.fromCentre + offset;
    let to = bundle.toCentre + offset;
    if (bundle.from.hop.kind === 'connection-queue')
      from = this.#fromSlot(connection, bundle) ?? from;
    if (bundle.to.hop.kind === 'connection-queue' && cell >= 0) to = this.cellAt(bundle.to, cell);
    return [from, to];
  }

  /** Middle of a cell of a queue's replica. */
  cellAt(box: Box, cell: number): number {
    return box.v0 + ((cell + 0.5) * (box.v1 - box.v0)) / this.cellsOf(box);
  }

  cellsOf({ instance, hop }: Box): number {
    const configured = hop.kind === 'connection-queue' ? hop.activeMax : 1;
    return Math.max(configured, this.#story.slots.cells(instance.index), 1);
  }

  #fromSlot(connection: number, bundle: Bundle): number | null {
    const { connections, slots } = this.#story;
    const change = slots.find(connections.downstream.get(connection), Number.POSITIVE_INFINITY);
    for (let one = change; one >= 0; one = slots.before(one)) {
      const cell = slots.state.get(one) === SlotState.active ? slots.cell.get(one) : -1;
      if (cell >= 0) return this.cellAt(bundle.from, cell);
    }
    return null;
  }

  /** New groups make room for themselves. */
  #renew(): void {
    const { groups } = this.#story.connections;
    if (groups.length === this.#groups) return;
    this.#groups = groups.length;
    const { boxes } = this.#layout;
    const traffic = new Set(this.#story.links.map((link) => link.index));
    const drawn = groups.flatMap((group) => {
      const link = this.#story.face.plan.links[group.link];
      const from = boxes[group.connector] ?? only(boxes, link?.downstream);
      const to = boxes[group.acceptor] ?? only(boxes, link?.upstream);
      if (from === undefined || to === undefined || !traffic.has(group.link)) return [];
      return [{ group, from, to }];
    });
    this.bundles = drawn.map(({ group, from, to }): Bundle => {
      const out = drawn.filter((one) => one.from === from).sort((x, y) => x.to.v0 - y.to.v0);
      const into = drawn.filter((one) => one.to === to).sort((x, y) => x.from.v0 - y.from.v0);
      const position = (list: typeof drawn): number => list.findIndex((one) => one.group === group);
      const [fromShare, toShare] = [size(from) / out.length, size(to) / into.length];
      return {
        group,
        from,
        to,
        fromCentre: from.v0 + (position(out) + 0.5) * fromShare,
        toCentre: to.v0 + (position(into) + 0.5) * toShare,
        extent: Math.min(fromShare, toShare) * 0.94,
        pitch: PITCH_MAX,
        first: 0,
        count: 0,
      };
    });
    this.#byGroup = [];
    for (const bundle of this.bundles) this.#byGroup[bundle.group.number] = bundle;
  }

  /** Pipes of one link are equally thick, so that bundles can be compared. */
  #pitches(): void {
    const pitches = new Map<number, number>();
    for (const { group, extent } of this.bundles) {
      const pitch = Math.min(PITCH_MAX, extent / Math.max(group.book.lanes, 1));
      pitches.set(group.link, Math.min(pitches.get(group.link) ?? PITCH_MAX, pitch));
    }
    for (const bundle of this.bundles) bundle.pitch = pitches.get(bundle.group.link) ?? PITCH_MAX;
  }
}

function size(box: Box): number {
  return box.v1 - box.v0;
}

/** The box of a hop of which there is only one: where the end itself is not ours to see. */
function only(boxes: Layout['boxes'], hop: string | undefined): Box | undefined {
  const found = boxes.filter((box) => box?.hop.name === hop);
  return found.length === 1 ? found[0] : undefined;
}
