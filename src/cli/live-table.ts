/**
 * The live table: one row a hop, redrawn in place on a terminal; elsewhere one compact line
 * every few seconds, so that logs stay readable. Always on stderr.
 */

import type { HopTick } from '../live/supervisor/messages.ts';
import type { RunTick } from '../live/supervisor/supervisor.ts';
import type { Mark } from '../model/run.ts';

const COLUMNS = ['open', 'held', 'active', 'new/s', 'req/s', 'p99 ms', '429/s', '5xx/s', 'fail/s'];
const WIDTH = 9;
const LINE_EVERY_SECONDS = 5;

export class LiveTable {
  readonly #out: NodeJS.WriteStream;
  readonly #title: string;
  readonly #redraw: boolean;
  #before = new Map<string, HopTick>();
  #beforeAt = 0;
  #drawn = 0;
  #nextLine = 0;
  #mark = '';

  constructor(out: NodeJS.WriteStream, title: string) {
    this.#out = out;
    this.#title = title;
    this.#redraw = out.isTTY === true;
  }

  mark(mark: Mark, loadStart: number): void {
    const at = loadStart === 0 ? 0 : (mark.at - loadStart) / 1e6;
    this.#mark = `${at.toFixed(1).padStart(6)} s  ${mark.text.split('\n')[0]}`;
    if (!this.#redraw) this.#out.write(`${this.#mark}\n`);
    else if (this.#drawn > 0) this.#out.write(`\x1b[1m${this.#mark}\x1b[0m\x1b[K\n`);
    this.#drawn = 0;
  }

  tick(tick: RunTick): void {
    const seconds = Math.max((tick.at - this.#beforeAt) / 1e6, 0.001);
    const rows = tick.hops.map((hop) => this.#row(hop, seconds));
    this.#before = new Map(tick.hops.map((hop) => [hop.hop, hop]));
    this.#beforeAt = tick.at;
    if (this.#redraw) this.#draw(tick, rows);
    else if (tick.at / 1e6 >= this.#nextLine) {
      this.#nextLine = tick.at / 1e6 + LINE_EVERY_SECONDS;
      this.#out.write(`${this.#header(tick)}\n${this.#lines(rows).join('\n')}\n`);
    }
  }

  #row(hop: HopTick, seconds: number): [string, ...string[]] {
    const before = this.#before.get(hop.hop);
    const rate = (pick: (one: HopTick) => number): string =>
      ((pick(hop) - (before === undefined ? 0 : pick(before))) / seconds).toFixed(0);
    const queue = hop.held + hop.active > 0;
    return [
      hop.hop,
      String(hop.open),
      queue ? String(hop.held) : '',
      queue ? String(hop.active) : '',
      rate((one) => one.opened),
      rate((one) => one.requests),
      hop.p99 === null ? '' : (hop.p99 / 1_000).toFixed(hop.p99 < 10_000 ? 1 : 0),
      rate((one) => one.throttled429),
      rate((one) => one.serverErrors5xx),
      rate((one) => one.failed),
    ];
  }

  #header(tick: RunTick): string {
    return (
      `${this.#title}   ${(tick.at / 1e6).toFixed(0)} s   loop delay p99 ` +
      `${(tick.loopDelay / 1_000).toFixed(0)} ms`
    );
  }

  #lines(rows: readonly (readonly [string, ...string[]])[]): string[] {
    const name = Math.max(12, ...rows.map((row) => row[0].length + 2));
    const line = ([head, ...cells]: readonly [string, ...string[]]): string =>
      head.padEnd(name) + cells.map((cell) => cell.padStart(WIDTH)).join('');
    return [line(['hop', ...COLUMNS]), ...rows.map(line)];
  }

  #draw(tick: RunTick, rows: readonly (readonly [string, ...string[]])[]): void {
    const [head, ...body] = this.#lines(rows);
    const lines = [`\x1b[1m${this.#header(tick)}\x1b[0m`, `\x1b[2m${head}\x1b[0m`, ...body];
    const up = this.#drawn > 0 ? `\x1b[${this.#drawn}A` : '';
    this.#out.write(`${up}${lines.map((line) => `${line}\x1b[K`).join('\n')}\n`);
    this.#drawn = lines.length;
  }
}
