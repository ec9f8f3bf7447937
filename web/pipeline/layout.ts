/**
 * Where the hops stand. The chain flows along the main axis `u` (to the right, or down on narrow
 * screens), replicas lie across it, along `v`. A host is a frame around the replicas it carries.
 *
 *        u ->   clients  ══  edge  ══  gateway  ══ ┌queue ═ web ═ app┐ ══ database
 *        v                                          └─────host 0──────┘
 *        |                                          ┌queue ═ web ═ app┐
 */
import type { Instance } from '../../src/model/run.ts';
import type { Hop } from '../../src/model/topology.ts';
import type { RunFace } from '../../src/serve/story/run-face.ts';

export interface Box {
  readonly instance: Instance;
  readonly hop: Hop;
  readonly u0: number;
  readonly u1: number;
  readonly v0: number;
  readonly v1: number;
}

/** A hop with all of its replicas. */
export interface Block {
  readonly hop: Hop;
  readonly boxes: readonly Box[];
  readonly u0: number;
  readonly u1: number;
  /** Where its label stands, across. */
  readonly v0: number;
  readonly v1: number;
}

export interface Layout {
  readonly horizontal: boolean;
  readonly width: number;
  readonly height: number;
  readonly blocks: readonly Block[];
  /** By number of the instance. */
  readonly boxes: readonly (Box | undefined)[];
  readonly hosts: readonly { readonly name: string; readonly boxes: readonly Box[] }[];
  /** Extent of the pipes across, and of the labels before them. */
  readonly v0: number;
  readonly v1: number;
  readonly labels: number;
}

/** Room for what stands over the pipes (or left of them). */
export const HEADER = { horizontal: 40, vertical: 104 } as const;
const LABEL = 36;
const EDGE = 14;

export function hopDepths({ topology }: RunFace): Map<string, number> {
  const depths = new Map<string, number>();
  const depthOf = (name: string): number => {
    const before = topology.hops.filter((hop) => hop.upstream === name);
    return before.reduce((most, hop) => Math.max(most, 1 + depthOf(hop.name)), 0);
  };
  for (const hop of topology.hops) depths.set(hop.name, depthOf(hop.name));
  return depths;
}

export function makeLayout(face: RunFace, width: number, height: number): Layout {
  const horizontal = width >= 720;
  const depths = hopDepths(face);
  const columns: Hop[][] = [];
  for (const hop of face.topology.hops) {
    const depth = depths.get(hop.name) ?? 0;
    columns[depth] = [...(columns[depth] ?? []), hop];
  }
  const spans = mainSpans(columns, horizontal ? width : height, horizontal);
  const v0 = horizontal ? HEADER.horizontal : HEADER.vertical;
  const v1 = (horizontal ? height : width) - EDGE;
  const blocks = columns.flatMap((hops, column) => {
    const [u0, u1] = spans[column] ?? [0, 0];
    const share = (v1 - v0) / hops.length;
    return hops.map((hop, at): Block => {
      const from = v0 + at * share;
      const area = { u0, u1, v0: from, v1: from + share - (at < hops.length - 1 ? 14 : 0) };
      return { hop, ...area, boxes: boxesOf(face, hop, area, horizontal) };
    });
  });
  const boxes: Box[] = [];
  for (const block of blocks) for (const box of block.boxes) boxes[box.instance.index] = box;
  const labels = v0;
  const pipes = horizontal ? v0 + LABEL : v0;
  return { horizontal, width, height, blocks, boxes, hosts: hostsOf(boxes), v0: pipes, v1, labels };
}

function thickness(hop: Hop, horizontal: boolean): number {
  if (hop.kind === 'connection-queue') return horizontal ? 92 : 48;
  return horizontal ? 44 : 26;
}

function mainSpans(
  columns: readonly (readonly Hop[])[],
  length: number,
  horizontal: boolean,
): [number, number][] {
  const thick = columns.map((hops) =>
    hops.reduce((most, hop) => Math.max(most, thickness(hop, horizontal)), 0),
  );
  const used = thick.reduce((sum, one) => sum + one, 0) + EDGE * 2;
  const gap = (length - used) / Math.max(columns.length - 1, 1);
  let at = EDGE;
  return thick.map((one) => {
    const span: [number, number] = [at, at + one];
    at += one + gap;
    return span;
  });
}

function boxesOf(
  { plan }: RunFace,
  hop: Hop,
  area: Omit<Block, 'hop' | 'boxes'>,
  horizontal: boolean,
): Box[] {
  const instances = plan.instances.filter((instance) => instance.hop === hop.name);
  const top = area.v0 + (horizontal ? LABEL : 0);
  const share = (area.v1 - top) / Math.max(instances.length, 1);
  const gap = instances.length > 1 ? Math.min(12, share * 0.25) : 0;
  return instances.map((instance, at) => ({
    instance,
    hop,
    u0: area.u0,
    u1: area.u1,
    v0: top + at * share + gap / 2,
    v1: top + (at + 1) * share - gap / 2,
  }));
}

function hostsOf(boxes: readonly Box[]): Layout['hosts'] {
  const hosts = new Map<string, Box[]>();
  for (const box of boxes) {
    const { host } = box?.instance ?? { host: null };
    if (host !== null) hosts.set(host, [...(hosts.get(host) ?? []), box]);
  }
  return [...hosts].map(([name, own]) => ({ name, boxes: own }));
}
