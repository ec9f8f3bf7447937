/** Values per second (or minute), by series. NaN where a value is not known. */
import { Doubles } from './columns.ts';

export interface SeriesName {
  readonly scope: string;
  readonly measure: string;
}

export class SeriesStore {
  readonly names: SeriesName[] = [];
  /** First second that is stored, and number of steps from there. */
  first = 0;
  length = 0;
  /** Grows with everything that is added. */
  version = 0;
  readonly step: number;
  readonly #columns: Doubles[] = [];
  readonly #numbers = new Map<string, number>();
  #begun = false;

  constructor(step: number) {
    this.step = step;
  }

  name(scope: string, measure: string): void {
    this.#numbers.set(`${scope} ${measure}`, this.names.length);
    this.names.push({ scope, measure });
    this.#columns.push(new Doubles(Number.NaN, 256));
  }

  add(number: number, second: number, value: number): void {
    if (!this.#begun) this.first = second;
    this.#begun = true;
    const index = Math.round((second - this.first) / this.step);
    if (index < 0) return;
    this.#columns[number]?.set(index, value);
    if (index >= this.length) this.length = index + 1;
    this.version += 1;
  }

  /** The values of a series from `first` on; null if there is no such series. */
  values(scope: string, measure: string): Float64Array | null {
    const number = this.#numbers.get(`${scope} ${measure}`);
    return number === undefined
      ? null
      : (this.#columns[number]?.values.subarray(0, this.length) ?? null);
  }

  /** The value of the step that holds that time; NaN where not known. */
  at(scope: string, measure: string, seconds: number): number {
    return this.values(scope, measure)?.[this.indexOf(seconds)] ?? Number.NaN;
  }

  indexOf(seconds: number): number {
    return Math.floor((seconds - this.first) / this.step);
  }

  scopes(prefix: string): string[] {
    return [...new Set(this.names.map((one) => one.scope))].filter((one) => one.startsWith(prefix));
  }

  secondOf(index: number): number {
    return this.first + index * this.step;
  }
}
