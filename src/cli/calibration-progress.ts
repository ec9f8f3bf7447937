/** One line on stderr while a calibration goes on: how many points, how many requests, the best. */
import type { Progress } from '../calibrate/calibrate.ts';
import type { TaskResult } from '../calibrate/simulate-window.ts';

const LINE_EVERY_MS = 5_000;

export class CalibrationProgress {
  readonly #out: NodeJS.WriteStream;
  readonly #began = performance.now();
  #progress: Progress = { phase: 'searching', points: 0, of: 0, score: null };
  #windows = 0;
  #requests = 0;
  #nextAt = 0;

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
  }

  at(progress: Progress): void {
    this.#progress = progress;
    this.#draw();
  }

  simulated(result: TaskResult): void {
    this.#windows += 1;
    if ('requests' in result) this.#requests += result.requests;
    this.#draw();
  }

  over(): void {
    this.#nextAt = 0;
    this.#draw();
    if (this.#out.isTTY) this.#out.write('\n');
  }

  #draw(): void {
    const elapsed = performance.now() - this.#began;
    const terminal = this.#out.isTTY === true;
    if (!terminal && elapsed < this.#nextAt) return;
    this.#nextAt = elapsed + LINE_EVERY_MS;
    const { phase, points, of, score } = this.#progress;
    const best = score === null ? '' : `, best score ${score.toPrecision(3)}`;
    const line =
      `${phase}: ${points} of ${of} points, ${this.#windows} windows, ` +
      `${(this.#requests / 1e6).toFixed(1)} million requests${best}`;
    this.#out.write(terminal ? `\r${line}\x1b[K` : `${line}\n`);
  }
}
