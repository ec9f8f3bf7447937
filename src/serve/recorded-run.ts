/**
 * A recording as the page gets it: its face, and its rows in frames, read from the disk a row
 * group at a time. Series come first: the first chart can be drawn before the rest is there.
 *
 * Bounded: of long recordings only the requests of one client in so many are told (all of that
 * client's, on every link, so that what is shown hangs together), and connections beyond the
 * limit are left out, the latest.
 */
import path from 'node:path';
import type { ConnectionRow, SlotRow } from '../measure/rows.ts';
import { SlotState } from '../model/event.ts';
import type { RunDocument } from '../recording/index.ts';
import {
  readConnections,
  readExchanges,
  readRun,
  readSeriesColumns,
  readSlots,
} from '../recording/index.ts';
import type { PageRun, StoryPart } from './page-run.ts';
import { type RunFace, runFace } from './story/run-face.ts';
import { encodeConnections, encodeExchanges, encodeSlots, SeriesFrames } from './story/tables.ts';

/** 60 bytes each in the page. */
const EXCHANGES_MAX = 1_000_000;
const CONNECTIONS_MAX = 500_000;

export class RecordedRun implements PageRun {
  readonly #face: RunFace;
  readonly #folder: string;
  readonly #run: RunDocument;

  private constructor(folder: string, run: RunDocument) {
    this.#folder = folder;
    this.#run = run;
    this.#face = runFace(run, {
      name: path.basename(path.resolve(folder)),
      state: 'over',
      summary: run.summary,
      recording: folder,
      hasConnections: run.recording.tables.includes('connections'),
      oneClientIn: oneClientIn(run),
      requestsFrom: 0,
      controllable: false,
      changeable: [],
    });
  }

  /** Throws a RecordingError. */
  static async open(folder: string): Promise<RecordedRun> {
    return new RecordedRun(folder, await readRun(folder));
  }

  face(): RunFace {
    return this.#face;
  }

  async *story(): AsyncGenerator<StoryPart, void> {
    yield* this.#series();
    if (!this.#face.hasConnections) return;
    const heads = new Map<number, number>();
    yield* this.#connections(heads);
    yield* this.#exchanges(heads);
  }

  async *#series(): AsyncGenerator<StoryPart, void> {
    const frames = new SeriesFrames();
    let told = 0;
    for await (const cells of readSeriesColumns(this.#folder)) {
      const frame = frames.frame(cells);
      if (frames.names.length > told) yield { kind: 'names', names: frames.names.slice(told) };
      told = frames.names.length;
      yield { kind: 'frame', frame };
    }
  }

  async *#connections(heads: Map<number, number>): AsyncGenerator<StoryPart, void> {
    const { loadStart } = this.#run;
    const slots = new DerivedSlots(this.#run);
    let left = CONNECTIONS_MAX;
    for await (const batch of readConnections(this.#folder)) {
      const rows = batch.slice(0, left);
      left -= rows.length;
      for (const row of rows) {
        if (row.downstreamConnection !== null) heads.set(row.connection, row.downstreamConnection);
        slots.take(row);
      }
      yield { kind: 'frame', frame: encodeConnections(rows, loadStart) };
    }
    if (!this.#run.recording.tables.includes('slots')) {
      yield { kind: 'frame', frame: encodeSlots(slots.changes(), loadStart) };
      return;
    }
    for await (const rows of readSlots(this.#folder)) {
      yield { kind: 'frame', frame: encodeSlots(rows, loadStart) };
    }
  }

  async *#exchanges(heads: ReadonlyMap<number, number>): AsyncGenerator<StoryPart, void> {
    const groups = groupsOf(this.#run);
    const { oneClientIn: every } = this.#face;
    let left = EXCHANGES_MAX * 2;
    for await (const batch of readExchanges(this.#folder)) {
      const rows = batch.filter(
        (row) => !heads.has(row.connection) && (row.client ?? 0) % every === 0,
      );
      left -= rows.length;
      if (left < 0) return;
      yield { kind: 'frame', frame: encodeExchanges(rows, this.#run.loadStart, groups) };
    }
  }
}

export function groupsOf({ topology }: Pick<RunDocument, 'topology'>): string[] {
  return topology.hops.filter((hop) => hop.kind === 'clients').map((hop) => hop.name);
}

/** By the summary, because counting would mean to read everything twice. */
function oneClientIn({ summary }: RunDocument): number {
  const exchanges = summary?.links.reduce((sum, link) => sum + (link.exchanges ?? 0), 0) ?? 0;
  return Math.max(1, Math.ceil(exchanges / EXCHANGES_MAX));
}

/**
 * Slots where a recording has no table of them: a queue opens the way on when it grants a slot,
 * and a slot ends with its connection. What a queue took back in between is not known.
 */
class DerivedSlots {
  readonly #run: RunDocument;
  readonly #queueLinks: ReadonlySet<number>;
  readonly #openedAt = new Map<number, number>();
  readonly #held: ConnectionRow[] = [];

  constructor(run: RunDocument) {
    this.#run = run;
    const { topology, plan } = run;
    const queues = topology.hops.filter((hop) => hop.kind === 'connection-queue');
    const names = new Set(queues.map((hop) => hop.name));
    this.#queueLinks = new Set(
      plan.links.filter((link) => names.has(link.upstream)).map((link) => link.index),
    );
  }

  take(row: ConnectionRow): void {
    if (row.downstreamConnection !== null && row.openedAt !== null)
      this.#openedAt.set(row.connection, row.openedAt);
    if (this.#queueLinks.has(row.link)) this.#held.push(row);
  }

  changes(): SlotRow[] {
    const changes: SlotRow[] = [];
    for (const { connection, openedAt, closedAt, upstreamConnection, slotTime } of this.#held) {
      const until = closedAt ?? this.#run.censusAt ?? 0;
      changes.push({ connection, at: openedAt ?? 0, state: SlotState.held });
      if (upstreamConnection === null || (slotTime ?? 0) === 0) continue;
      const at = this.#openedAt.get(upstreamConnection) ?? until - (slotTime ?? 0);
      changes.push({ connection, at, state: SlotState.active });
    }
    return changes.sort((x, y) => x.at - y.at);
  }
}
