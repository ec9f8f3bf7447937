/** All stations of a simulation: their pieces of work share one table of events. */

import type { RandomStream } from '../random/stream.ts';
import type { Engine } from './engine/engine.ts';
import { Station, type StationBook, type StationSettings, Works } from './station.ts';

export class Stations {
  readonly #engine: Engine;
  readonly #works: Works;
  readonly #stations: Station[] = [];

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#works = new Works();
  }

  /** `done` hears which piece is over. */
  add(
    settings: StationSettings,
    stream: RandomStream,
    done: (piece: number) => void,
    book: StationBook,
  ): Station {
    const number = this.#stations.length;
    const station = new Station(number, this.#engine, this.#works, settings, stream, done, book);
    this.#stations.push(station);
    return station;
  }

  /** A piece is due. */
  happens(work: number): void {
    this.#stations[this.#works.station(work)]?.due(work);
  }

  /** Pieces that are served or wait. */
  *pieces(): Iterable<number> {
    yield* this.#works.pieces();
    for (const station of this.#stations) yield* station.waitingPieces();
  }
}
