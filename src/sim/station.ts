/**
 * A station: work that takes time, a limited number of pieces at once, the rest first come first
 * served; the same rules as the live engine's (live/database/station.ts).
 *
 * Faults: `slow` multiplies the times of the pieces that begin meanwhile; during a `stall`
 * nothing ends, at its end everything that was due does.
 */
import type { Distribution } from '../model/topology.ts';
import type { Micros } from '../model/units.ts';
import { Burst, type BurstSettings } from '../random/burst.ts';
import { drawing } from '../random/distribution.ts';
import type { RandomStream } from '../random/stream.ts';
import type { Engine } from './engine/engine.ts';
import type { Actor } from './engine/event-queue.ts';

export interface StationSettings {
  readonly serviceTime: Distribution;
  /** 0 = without limit. */
  readonly concurrencyMax: number;
  /** Pieces that may wait; further ones are refused. */
  readonly waitingMax: number;
  /** A piece that begins while n others are served takes 1 + this x n times as long. */
  readonly contention: number;
}

/** Whoever counts who is served and who waits. */
export interface StationBook {
  changed(serving: number, waiting: number, at: Micros): void;
}

/** More than can ever be served at once. */
const NO_LIMIT = 2_147_483_647;

export class Station<Piece extends object> implements Actor {
  /** Pieces being served. */
  serving = 0;
  readonly #engine: Engine;
  readonly #stream: RandomStream;
  readonly #done: (piece: Piece) => void;
  /** By place: who is served there, of a free place who was last. */
  readonly #served: Piece[] = [];
  /** Free places; those from `#freePlaces` on mean nothing. */
  readonly #free: number[] = [];
  #freePlaces = 0;
  /** Pieces from `#firstWaiting` to before `#endWaiting`; what lies around them is over. */
  readonly #waiting: Piece[] = [];
  #firstWaiting = 0;
  #endWaiting = 0;
  #draw: (stream: RandomStream) => Micros;
  #concurrencyMax = 0;
  #waitingMax = 0;
  #contention = 0;
  #factor = 1;
  #slowUntil: Micros = 0;
  #stalledUntil: Micros = 0;
  #burst: Burst | null = null;
  readonly #book: StationBook;

  constructor(
    engine: Engine,
    settings: StationSettings,
    stream: RandomStream,
    done: (piece: Piece) => void,
    book: StationBook,
  ) {
    this.#engine = engine;
    this.#book = book;
    this.#stream = stream;
    this.#done = done;
    this.#draw = drawing(settings.serviceTime);
    this.#limit(settings);
  }

  get waiting(): number {
    return this.#endWaiting - this.#firstWaiting;
  }

  configure(settings: StationSettings): void {
    this.#draw = drawing(settings.serviceTime);
    this.#limit(settings);
    while (this.waiting > 0 && this.serving < this.#concurrencyMax) {
      this.#begin(this.#nextWaiting(), this.#takePlace());
    }
    this.#count();
  }

  slow(factor: number, lasts: Micros): void {
    this.#factor = factor;
    this.#slowUntil = this.#engine.now + lasts;
  }

  /** A share of what begins meanwhile takes that much longer. */
  burst(settings: BurstSettings, stream: RandomStream): void {
    this.#burst = new Burst(settings, this.#engine.now, stream);
  }

  stall(lasts: Micros): void {
    this.#stalledUntil = this.#engine.now + lasts;
  }

  /** Hands it to `done` after the work. False when too much waits already. */
  submit(piece: Piece): boolean {
    if (this.serving < this.#concurrencyMax) this.#begin(piece, this.#takePlace());
    else if (this.waiting >= this.#waitingMax) return false;
    else this.#wait(piece);
    this.#count();
    return true;
  }

  /** A piece is due. */
  fire(place: number): void {
    const { now } = this.#engine;
    if (now < this.#stalledUntil) {
      this.#engine.at(this.#stalledUntil, this, place);
      return;
    }
    const piece = this.#served[place] as Piece;
    const serving = (this.serving - 1) | 0;
    this.serving = serving;
    // Who waits, waits for a place: one has become free.
    if (this.#endWaiting > this.#firstWaiting && serving < this.#concurrencyMax) {
      this.#begin(this.#nextWaiting(), place);
    } else {
      this.#free[this.#freePlaces] = place;
      this.#freePlaces = (this.#freePlaces + 1) | 0;
    }
    this.#count();
    this.#done(piece);
  }

  #limit({ concurrencyMax, waitingMax, contention }: StationSettings): void {
    this.#concurrencyMax = concurrencyMax === 0 ? NO_LIMIT : concurrencyMax;
    this.#waitingMax = waitingMax;
    this.#contention = contention;
  }

  #takePlace(): number {
    const free = (this.#freePlaces - 1) | 0;
    if (free < 0) return this.#served.length;
    this.#freePlaces = free;
    return this.#free[free] ?? 0;
  }

  #wait(piece: Piece): void {
    this.#waiting[this.#endWaiting] = piece;
    this.#endWaiting = (this.#endWaiting + 1) | 0;
  }

  #nextWaiting(): Piece {
    const first = this.#firstWaiting;
    const next = this.#waiting[first] as Piece;
    this.#firstWaiting = first + 1;
    if (first + 1 === this.#endWaiting) {
      this.#firstWaiting = 0;
      this.#endWaiting = 0;
    } else if (first > 1_024 && first * 2 > this.#endWaiting) this.#moveWaiting();
    return next;
  }

  /** To the beginning of their array. */
  #moveWaiting(): void {
    const { waiting } = this;
    this.#waiting.copyWithin(0, this.#firstWaiting, this.#endWaiting);
    this.#firstWaiting = 0;
    this.#endWaiting = waiting;
  }

  #begin(piece: Piece, place: number): void {
    const { now } = this.#engine;
    this.#served[place] = piece;
    const time = this.#draw(this.#stream);
    const lasts = this.#hampered(now) ? this.#longer(time, now) : time;
    this.serving = (this.serving + 1) | 0;
    this.#engine.at(now + lasts, this, place);
  }

  #hampered(now: Micros): boolean {
    return this.#contention > 0 || this.#burst !== null || now < this.#slowUntil;
  }

  #longer(time: Micros, now: Micros): Micros {
    const slow = now < this.#slowUntil ? this.#factor : 1;
    const factor = slow * (1 + this.#contention * this.serving);
    const extra = this.#burst === null ? 0 : this.#burst.extra(now);
    return extra + (factor === 1 ? time : Math.round(time * factor));
  }

  #count(): void {
    this.#book.changed(this.serving, this.#endWaiting - this.#firstWaiting, this.#engine.now);
  }
}
