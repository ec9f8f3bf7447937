/** A burst of slow requests: for a while a share of the work takes longer, by a given time. */
import type { Micros } from '../model/units.ts';
import type { RandomStream } from './stream.ts';

export interface BurstSettings {
  readonly share: number;
  readonly extra: Micros;
  readonly lasts: Micros;
}

export class Burst {
  readonly #settings: BurstSettings;
  readonly #until: Micros;
  readonly #stream: RandomStream;

  constructor(settings: BurstSettings, since: Micros, stream: RandomStream) {
    this.#settings = settings;
    this.#until = since + settings.lasts;
    this.#stream = stream;
  }

  /** How much longer a piece of work takes that begins now. */
  extra(now: Micros): Micros {
    const { share, extra } = this.#settings;
    return now < this.#until && this.#stream.unit() < share ? extra : 0;
  }
}
