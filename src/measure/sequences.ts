/**
 * Every process numbers its events from 0 without gaps, and says at the end how many there
 * were. So the loss of any one event shows, whatever it was about: this is the check that makes
 * the books complete; all others only make them precise.
 */
import type { RunInfo } from '../model/run.ts';
import type { Books } from './books.ts';

export class Sequences {
  readonly #books: Books;
  readonly #info: RunInfo;
  readonly #next: Float64Array;

  constructor(books: Books, info: RunInfo) {
    this.#books = books;
    this.#info = info;
    this.#next = new Float64Array(info.plan.processes.length);
  }

  next(process: number, sequence: number): void {
    const expected = this.#next[process];
    if (sequence === expected) {
      this.#next[process] = sequence + 1;
      return;
    }
    const text = 'The numbers of a process’s events have a gap or repeat';
    const example = `process ${process}: ${expected ?? 'none'} expected, ${sequence} found`;
    this.#books.report('sequence-gap', 'wrong', null, text, example);
    if (expected !== undefined && sequence >= expected) this.#next[process] = sequence + 1;
  }

  /** Call once after the last event. Skipped while the run goes on: its counts are not final. */
  finish(): void {
    if (this.#info.censusAt === null) return;
    this.#next.forEach((seen, process) => {
      const written = this.#info.eventCounts[process] ?? 0;
      if (seen === written) return;
      if (this.#info.deaths.some((death) => death.process === process)) {
        const text = 'A process that died could not say how many events it wrote';
        const example = `process ${process}: ${seen} read`;
        this.#books.report('process_died', 'explained', null, text, example);
        return;
      }
      const text = 'A process wrote another number of events than was read';
      const example = `process ${process}: ${written} written, ${seen} read`;
      this.#books.report('sequence-tail', 'wrong', null, text, example);
    });
  }
}
