/**
 * Time to answer of every request as a heat map: columns of time, rows three to a doubling,
 * darker by orders of magnitude where more requests ended. Percentiles blend what it shows: two
 * crowds, one that is answered at once and one that waits.
 */
import type { ExchangeRow } from '../../measure/rows.ts';
import type { RunInfo } from '../../model/run.ts';
import { clock, milliseconds } from '../numbers.ts';
import { type Child, element, type Markup } from '../svg/element.ts';

const COLUMNS = 120;
const STEPS_PER_DOUBLING = 3;
const LEAST_MS = 0.1;
const [LEFT, TOP, WIDTH, ROW] = [58, 8, 720, 7];

export class LatencyHeat {
  readonly #loadStart: number;
  readonly #seconds: number;
  readonly #isClients: readonly boolean[];
  /** Counts by row, then column. */
  readonly #rows: number[][] = [];

  constructor({ topology, plan, loadStart, loadEnd }: RunInfo) {
    this.#loadStart = loadStart;
    this.#seconds = Math.max(((loadEnd ?? loadStart) - loadStart) / 1e6, 1);
    const clients = new Set(
      topology.hops.filter((hop) => hop.kind === 'clients').map((h) => h.name),
    );
    this.#isClients = plan.links.map((link) => clients.has(link.downstream));
  }

  take(rows: readonly ExchangeRow[]): void {
    for (const { link, startedAt, endedAt } of rows) {
      if (endedAt === null || this.#isClients[link] !== true) continue;
      const ms = Math.max((endedAt - startedAt) / 1e3, LEAST_MS);
      const row = Math.floor(Math.log2(ms / LEAST_MS) * STEPS_PER_DOUBLING);
      const share = (endedAt - this.#loadStart) / 1e6 / this.#seconds;
      const column = Math.min(COLUMNS - 1, Math.max(0, Math.floor(share * COLUMNS)));
      const counts = this.#rows[row] ?? new Array<number>(COLUMNS).fill(0);
      counts[column] = (counts[column] ?? 0) + 1;
      this.#rows[row] = counts;
    }
  }

  /** null where no request ended. */
  svg(): Markup | null {
    const first = this.#rows.findIndex((row) => row !== undefined);
    if (first < 0) return null;
    const last = this.#rows.length - 1;
    const height = (last - first + 1) * ROW;
    const most = Math.max(...this.#rows.flatMap((row) => row ?? []));
    const cells: Child[] = [];
    for (let row = first; row <= last; row++) {
      const y = TOP + (last - row) * ROW;
      cells.push(this.#cells(this.#rows[row] ?? [], y, most));
      const decade = decadeAt(row);
      if (decade !== null) cells.push(label(LEFT - 8, y + ROW, milliseconds(decade), 'end'));
    }
    for (const share of [0, 0.25, 0.5, 0.75, 1]) {
      const anchor = share === 0 ? 'start' : share === 1 ? 'end' : 'middle';
      const x = LEFT + share * WIDTH;
      cells.push(label(x, TOP + height + 18, clock(share * this.#seconds), anchor));
    }
    const size = { width: LEFT + WIDTH + 12, height: TOP + height + 28 };
    const view = `0 0 ${size.width} ${size.height}`;
    const words = { class: 'fits', role: 'img', 'aria-label': 'time to answer of all requests' };
    return element('svg', { viewBox: view, ...size, ...words }, cells);
  }

  #cells(counts: readonly number[], y: number, most: number): Child {
    const width = WIDTH / COLUMNS;
    return counts.flatMap((count, column) => {
      if (count === 0) return [];
      const opacity = 0.12 + (0.88 * Math.log(count + 1)) / Math.log(most + 1);
      const place = { x: LEFT + column * width, y, width, height: ROW };
      const filling = { fill: 'var(--active)', 'fill-opacity': opacity.toFixed(2) };
      return [element('rect', { ...place, ...filling })];
    });
  }
}

/** The power of ten, ms, at which a row begins; null for most. */
function decadeAt(row: number): number | null {
  const edge = (one: number): number => LEAST_MS * 2 ** (one / STEPS_PER_DOUBLING);
  const decade = 10 ** Math.ceil(Math.log10(edge(row)) - 1e-9);
  return decade < edge(row + 1) ? decade : null;
}

function label(x: number, y: number, text: string, anchor: string): Markup {
  const attributes = { x, y, 'text-anchor': anchor, fill: 'var(--muted)', 'font-size': '11px' };
  return element('text', attributes, text);
}
