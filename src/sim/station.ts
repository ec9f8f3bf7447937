/**
 * A station: work that takes time, a limited number of pieces at once, the rest first come first
 * served; the same rules as the live engine's (live/database/station.ts). A piece is known by a
 * number of whoever submits it.
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
import { EventOf } from './engine/event.ts';

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
const FIRST_ROOM = 64;

/** Pieces that are being served, whose numbers their events carry: which, and where. */
export class Works {
  /** Two each: piece and 1 (0 = none), and station; of a free one the next one and 1. */
  #words = new Int32Array(2 * FIRST_ROOM);
  #free = 0;
  #used = 0;

  take(station: number, piece: number): number {
    let work = this.#free - 1;
    if (work >= 0) this.#free = this.#words[2 * work + 1] ?? 0;
    else {
      work = this.#used;
      this.#used += 1;
      if (2 * work >= this.#words.length) this.#grow();
    }
    this.#words[2 * work] = piece + 1;
    this.#words[2 * work + 1] = station;
    return work;
  }

  /** Another piece at the same station takes its place. */
  replace(work: number, piece: number): void {
    this.#words[2 * work] = piece + 1;
  }

  give(work: number): void {
    this.#words[2 * work] = 0;
    this.#words[2 * work + 1] = this.#free;
    this.#free = work + 1;
  }

  piece(work: number): number {
    return (this.#words[2 * work] ?? 0) - 1;
  }

  station(work: number): number {
    return this.#words[2 * work + 1] ?? 0;
  }

  *pieces(): Iterable<number> {
    for (let work = 0; work < this.#used; work++) {
      const piece = this.piece(work);
      if (piece >= 0) yield piece;
    }
  }

  #grow(): void {
    const words = new Int32Array(this.#words.length * 2);
    words.set(this.#words);
    this.#words = words;
  }
}

export class Station {
  /** Pieces being served. */
  serving = 0;
  readonly #number: number = 0;
  readonly #engine: Engine;
  readonly #works: Works;
  readonly #stream: RandomStream;
  readonly #done: (piece: number) => void;
  /** Pieces from `#firstWaiting` to before `#endWaiting`; what lies around them is over. */
  #waiting = new Int32Array(FIRST_ROOM);
  #firstWaiting = 0;
  #endWaiting = 0;
  #draw: (stream: RandomStream) => Micros;
  #concurrencyMax = 0;
  #waitingMax = 0;
  #contention = 0;
  #factor = 1;
  /** Nothing has ever made work take longer than was drawn. */
  #steady = true;
  #slowUntil: Micros = 0;
  #stalledUntil: Micros = 0;
  #burst: Burst | null = null;
  readonly #book: StationBook;

  /** `number`: by which its works are known; for `Stations`. */
  constructor(
    number: number,
    engine: Engine,
    works: Works,
    settings: StationSettings,
    stream: RandomStream,
    done: (piece: number) => void,
    book: StationBook,
  ) {
    this.#number = number;
    this.#engine = engine;
    this.#works = works;
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
      this.#begin(this.#works.take(this.#number, this.#nextWaiting()));
    }
    this.#count();
  }

  slow(factor: number, lasts: Micros): void {
    this.#steady = false;
    this.#factor = factor;
    this.#slowUntil = this.#engine.now + lasts;
  }

  /** A share of what begins meanwhile takes that much longer. */
  burst(settings: BurstSettings, stream: RandomStream): void {
    this.#steady = false;
    this.#burst = new Burst(settings, this.#engine.now, stream);
  }

  stall(lasts: Micros): void {
    this.#stalledUntil = this.#engine.now + lasts;
  }

  /** Hands it to `done` after the work. False when too much waits already. */
  submit(piece: number): boolean {
    if (this.serving < this.#concurrencyMax) this.#begin(this.#works.take(this.#number, piece));
    else if (this.waiting >= this.#waitingMax) return false;
    else this.#wait(piece);
    this.#count();
    return true;
  }

  /** A piece is due. */
  due(work: number): void {
    if (this.#engine.now < this.#stalledUntil) {
      this.#engine.push(this.#stalledUntil, EventOf.station, work);
      return;
    }
    const works = this.#works;
    const piece = works.piece(work);
    const serving = (this.serving - 1) | 0;
    this.serving = serving;
    // Who waits, waits for a place: one has become free.
    if (this.#endWaiting > this.#firstWaiting && serving < this.#concurrencyMax) {
      works.replace(work, this.#nextWaiting());
      this.#begin(work);
    } else works.give(work);
    this.#count();
    this.#done(piece);
  }

  *waitingPieces(): Iterable<number> {
    for (let at = this.#firstWaiting; at < this.#endWaiting; at++) yield this.#waiting[at] ?? 0;
  }

  #limit({ concurrencyMax, waitingMax, contention }: StationSettings): void {
    this.#concurrencyMax = concurrencyMax === 0 ? NO_LIMIT : concurrencyMax;
    this.#waitingMax = waitingMax;
    this.#contention = contention;
    if (contention > 0) this.#steady = false;
  }

  #wait(piece: number): void {
    if (this.#endWaiting === this.#waiting.length) this.#makeRoom();
    this.#waiting[this.#endWaiting] = piece;
    this.#endWaiting = (this.#endWaiting + 1) | 0;
  }

  #nextWaiting(): number {
    const first = this.#firstWaiting;
    const next = this.#waiting[first] ?? 0;
    this.#firstWaiting = (first + 1) | 0;
    if (first + 1 === this.#endWaiting) {
      this.#firstWaiting = 0;
      this.#endWaiting = 0;
    }
    return next;
  }

  /** To the beginning of their array, or of one twice as long where that would be in vain. */
  #makeRoom(): void {
    const { waiting } = this;
    const isFull = waiting * 2 > this.#waiting.length;
    const target = isFull ? new Int32Array(this.#waiting.length * 2) : this.#waiting;
    target.set(this.#waiting.subarray(this.#firstWaiting, this.#endWaiting));
    this.#waiting = target;
    this.#firstWaiting = 0;
    this.#endWaiting = waiting;
  }

  #begin(work: number): void {
    const { now } = this.#engine;
    const time = this.#draw(this.#stream);
    const lasts = this.#steady ? time : this.#longer(time, now);
    this.serving = (this.serving + 1) | 0;
    this.#engine.push(now + lasts, EventOf.station, work);
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
