/**
 * One line on stderr while a simulation goes on: how far it is, how many times faster than real
 * time, and how long it still takes. Redrawn in place on a terminal, a line every few seconds
 * elsewhere; a simulation of less than a second says nothing.
 */
const DRAW_EVERY_MS = 250;
const LINE_EVERY_MS = 5_000;
const SILENT_MS = 1_000;

export class SimulationProgress {
  readonly #out: NodeJS.WriteStream;
  readonly #title: string;
  readonly #end: number;
  readonly #began = performance.now();
  #nextAt = SILENT_MS;
  #shown = false;

  /** `end` is the simulated time (µs) at which it will be over. */
  constructor(out: NodeJS.WriteStream, title: string, end: number) {
    this.#out = out;
    this.#title = title;
    this.#end = end;
  }

  at(now: number): void {
    const elapsed = performance.now() - this.#began;
    if (elapsed < this.#nextAt) return;
    const terminal = this.#out.isTTY === true;
    this.#nextAt = elapsed + (terminal ? DRAW_EVERY_MS : LINE_EVERY_MS);
    const left = now > 0 ? ((this.#end - now) / now) * elapsed : 0;
    const line = `${this.#line(now, elapsed)}, ${time(left / 1_000)} to go`;
    this.#out.write(terminal ? `\r${line}\x1b[K` : `${line}\n`);
    this.#shown = true;
  }

  over(now: number): void {
    if (!this.#shown) return;
    const terminal = this.#out.isTTY === true;
    const elapsed = performance.now() - this.#began;
    const line = `${this.#line(now, elapsed)}, took ${time(elapsed / 1_000)}`;
    this.#out.write(terminal ? `\r${line}\x1b[K\n` : `${line}\n`);
  }

  #line(now: number, elapsed: number): string {
    const share = ((100 * now) / this.#end).toFixed(0);
    const speed = now / 1_000 / Math.max(elapsed, 1);
    const times = speed.toFixed(speed < 10 ? 1 : 0);
    return `${this.#title}: ${time(now / 1e6)} simulated (${share} %), ${times} x real time`;
  }
}

/** `59 s`, `3 min 20 s`, `2 h 05 min`. */
function time(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const two = (value: number): string => String(value).padStart(2, '0');
  if (whole < 3_600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  return `${Math.floor(whole / 3_600)} h ${two(Math.floor((whole % 3_600) / 60))} min`;
}
