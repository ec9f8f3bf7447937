/**
 * The story of a run that goes on, made of what a fold tells: rows as they are complete, and at
 * every look what is open by then. It is kept as the frames that were sent, so that a page that
 * comes later gets all of them.
 *
 * Bounded: frames of requests are let go, the oldest first, when everything together is larger
 * than the limit, then those of connections (what is open is told anew); and of more requests
 * than the limit between two looks, those in excess.
 */
import type { Fold } from '../../measure/fold.ts';
import { OpenRows } from '../../measure/open-rows.ts';
import type {
  ConnectionRow,
  ExchangeRow,
  RowSinks,
  SecondRow,
  SlotRow,
} from '../../measure/rows.ts';
import { SlotState } from '../../model/event.ts';
import type { Micros } from '../../model/units.ts';
import type { StoryPart } from '../page-run.ts';
import {
  CONNECTIONS,
  EXCHANGES,
  encodeConnections,
  encodeExchanges,
  encodeSlots,
  SeriesFrames,
  SLOTS,
  seriesCells,
} from './tables.ts';

export interface RunningOptions {
  readonly loadStart: Micros;
  /** Names of the clients' hops. */
  readonly groups: readonly string[];
  readonly keptBytesMax?: number;
  /** Requests that end are told only while this is so; as long as it is not, none is made a row. */
  readonly wantsRequests?: () => boolean;
}

/** Series that grow: of a fold, or of a simulation that counts by itself. */
export interface SeriesSource {
  /** Seconds that a row stands for. */
  readonly step: number;
  stepOf(at: Micros): number;
  rowsBetween(since: number, at: Micros): Iterable<SecondRow>;
}

const KEPT_BYTES_MAX = 48 * 1_048_576;
const KEPT_AFTER = 0.75;
const EXCHANGES_PER_LOOK_MAX = 20_000;

export class RunningStory {
  /** For the fold: it hands out complete rows here. */
  readonly sinks: RowSinks;
  readonly #options: RunningOptions;
  readonly #frames = new SeriesFrames();
  #connections: ConnectionRow[] = [];
  #exchanges: ExchangeRow[] = [];
  #slots: SlotRow[] = [];
  /** The latest of every connection that is still at a queue. */
  readonly #slotOf = new Map<number, SlotRow>();
  #fold: Fold | null = null;
  #source: SeriesSource | null = null;
  #open: OpenRows | null = null;
  /** Steps of the series told. */
  #since = 0;
  /** Links that begin at an L4 relay: what they carry was told on the link before. */
  #behind: readonly boolean[] | null = null;
  #kept: StoryPart[] = [];
  #bytes = 0;

  constructor(options: RunningOptions) {
    this.#options = options;
    const take = (row: ExchangeRow): void => this.#takeExchange(row);
    const wants = options.wantsRequests ?? (() => true);
    this.sinks = {
      onConnection: (row: ConnectionRow) => this.#connections.push(row),
      get onExchange() {
        return wants() ? take : undefined;
      },
      onSlot: (row: SlotRow) => this.#takeSlot(row),
      // A getter that gives nothing is a sink that is left out.
    } as RowSinks;
  }

  /** Everything told so far. */
  get kept(): readonly StoryPart[] {
    return this.#kept;
  }

  follows(fold: Fold): void {
    this.#fold = fold;
    this.#open = new OpenRows(fold);
    this.followsSeries(fold.context.table);
  }

  /** Only series are told. */
  followsSeries(source: SeriesSource): void {
    this.#source = source;
  }

  /** What is new since the last look; `at` is the time up to which the fold has come. */
  look(at: Micros): StoryPart[] {
    const { loadStart, groups } = this.#options;
    this.#open?.tell({
      onConnection: (row) => this.#connections.push(row),
      onExchange: (row) => this.#takeExchange(row),
    });
    const parts = this.#series(at);
    const frame = (bytes: Uint8Array): number => parts.push({ kind: 'frame', frame: bytes });
    if (this.#connections.length > 0) frame(encodeConnections(this.#connections, loadStart));
    if (this.#slots.length > 0) frame(encodeSlots(this.#slots, loadStart));
    if (this.#exchanges.length > 0) frame(encodeExchanges(this.#exchanges, loadStart, groups));
    this.#connections = [];
    this.#exchanges = [];
    this.#slots = [];
    this.#keep(parts);
    return parts;
  }

  /** Only requests on the first connection of a chain are told: `tables.ts` says why. */
  #takeExchange(row: ExchangeRow): void {
    if (this.#exchanges.length >= EXCHANGES_PER_LOOK_MAX) return;
    if (this.#isBehind(row.link)) return;
    this.#exchanges.push(row);
  }

  #takeSlot(row: SlotRow): void {
    this.#slots.push(row);
    if (row.state === SlotState.none) this.#slotOf.delete(row.connection);
    else this.#slotOf.set(row.connection, row);
  }

  #isBehind(link: number): boolean {
    const fold = this.#fold;
    if (fold === null) return false;
    this.#behind ??= fold.context.shape.links.map((one) => !one.connectorL7);
    return this.#behind[link] === true;
  }

  #series(at: Micros): StoryPart[] {
    const source = this.#source;
    if (source === null) return [];
    const until = source.stepOf(at);
    if (until <= this.#since) return [];
    const told = this.#frames.names.length;
    const rows = [...source.rowsBetween(this.#since * source.step, at)];
    // A window of a minute is not over yet.
    const whole = rows.filter((row) => !row.measure.endsWith('60s'));
    const frame = this.#frames.frame(seriesCells(whole));
    this.#since = until;
    const names = this.#frames.names.slice(told);
    const parts: StoryPart[] = names.length > 0 ? [{ kind: 'names', names }] : [];
    if (whole.length > 0) parts.push({ kind: 'frame', frame });
    return parts;
  }

  #keep(parts: readonly StoryPart[]): void {
    const most = this.#options.keptBytesMax ?? KEPT_BYTES_MAX;
    for (const part of parts) {
      this.#kept.push(part);
      this.#bytes += bytesOf(part);
    }
    if (this.#bytes <= most) return;
    // A quarter at once, so that it is not gone through at every look.
    this.#letGo([EXCHANGES.number], most * KEPT_AFTER);
    if (this.#bytes <= most * KEPT_AFTER) return;
    this.#letGo([CONNECTIONS.number, SLOTS.number], most * KEPT_AFTER);
    // Some of those are open still: they are told again at the next look.
    if (this.#fold !== null) this.#open = new OpenRows(this.#fold);
    this.#slots.unshift(...this.#slotOf.values());
  }

  /** Lets go of frames of these tables, the oldest first, until no more than that is kept. */
  #letGo(tables: readonly number[], bytes: number): void {
    this.#kept = this.#kept.filter((part) => {
      // The table's number is the first of a frame.
      const goes =
        this.#bytes > bytes && part.kind === 'frame' && tables.includes(part.frame[0] ?? 0);
      if (goes) this.#bytes -= bytesOf(part);
      return !goes;
    });
  }
}

function bytesOf(part: StoryPart): number {
  return part.kind === 'frame' ? part.frame.length : 0;
}
