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

export class Station<Piece extends object> implements Actor {
  /** Pieces being served. */
  serving = 0;
  readonly #engine: Engine;
  readonly #stream: RandomStream;
  readonly #done: (piece: Piece) => void;
  readonly #served: (Piece | null)[] = [];
  readonly #free: number[] = [];
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
    this.#concurrencyMax = settings.concurrencyMax;
    this.#waitingMax = settings.waitingMax;
    this.#contention = settings.contention;
  }

  get waiting(): number {
    return this.#endWaiting - this.#firstWaiting;
  }

  configure(settings: StationSettings): void {
    this.#draw = drawing(settings.serviceTime);
    this.#concurrencyMax = settings.concurrencyMax;
    this.#waitingMax = settings.waitingMax;
    this.#contention = settings.contention;
    this.#fill();
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
    if (this.#hasPlace()) {
      this.#serve(piece);
      this.#count();
      return true;
    }
    if (this.waiting >= this.#waitingMax) return false;
    this.#waiting[this.#endWaiting] = piece;
    this.#endWaiting += 1;
    this.#count();
    return true;
  }

  /** A piece is due. */
  fire(place: number): void {
    if (this.#engine.now < this.#stalledUntil) {
      this.#engine.at(this.#stalledUntil, this, place);
      return;
    }
    const piece = this.#served[place];
    this.serving -= 1;
    // Who waits, waits for a place: one has become free.
    if (this.waiting > 0 && this.#hasPlace()) this.#begin(this.#nextWaiting(), place);
    else {
      this.#served[place] = null;
      this.#free.push(place);
    }
    this.#count();
    if (piece !== null && piece !== undefined) this.#done(piece);
  }

  #hasPlace(): boolean {
    return this.#concurrencyMax === 0 || this.serving < this.#concurrencyMax;
  }

  #fill(): void {
    while (this.waiting > 0 && this.#hasPlace()) this.#serve(this.#nextWaiting());
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

  #serve(piece: Piece): void {
    this.#begin(piece, this.#free.pop() ?? this.#served.length);
  }

  #begin(piece: Piece, place: number): void {
    const { now } = this.#engine;
    this.#served[place] = piece;
    const slow = now < this.#slowUntil ? this.#factor : 1;
    const factor = slow * (1 + this.#contention * this.serving);
    this.serving += 1;
    const time = this.#draw(this.#stream);
    const extra = this.#burst === null ? 0 : this.#burst.extra(now);
    this.#engine.at(now + extra + (factor === 1 ? time : Math.round(time * factor)), this, place);
  }

  #count(): void {
    this.#book.changed(this.serving, this.waiting, this.#engine.now);
  }
}
