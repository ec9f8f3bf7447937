/**
 * All that the page knows of a run: the face, and rows as they come. What stood at a time is
 * worked out when it is asked for, so that looking back costs no more than looking on.
 */
import type { Link } from '../../src/model/run.ts';
import { decodeFrame, type Frame } from '../../src/serve/story/frame.ts';
import type { RunFace } from '../../src/serve/story/run-face.ts';
import {
  CONNECTIONS,
  EXCHANGES,
  SERIES,
  SLOTS,
  STORY_TABLES,
} from '../../src/serve/story/tables.ts';
import { Connections } from './connections.ts';
import { Exchanges } from './exchanges.ts';
import { SeriesStore } from './series-store.ts';
import { Slots } from './slots.ts';

export class Story {
  face: RunFace;
  readonly connections = new Connections();
  readonly exchanges = new Exchanges();
  readonly slots = new Slots(this.connections);
  readonly series: SeriesStore;
  /** µs since the start of the load: until when something was told. */
  until = 0;
  /** Slot changes that came before their connections. */
  #early: Frame[] = [];

  constructor(face: RunFace) {
    this.face = face;
    this.series = new SeriesStore(face.secondsPerRow);
    if (face.state === 'over') this.until = face.duration;
  }

  names(names: readonly (readonly [string, string])[]): void {
    for (const [scope, measure] of names) this.series.name(scope, measure);
  }

  frame(bytes: Uint8Array): void {
    const frame = decodeFrame(STORY_TABLES, bytes);
    switch (frame.table) {
      case CONNECTIONS.number:
        this.connections.take(frame);
        return;
      case EXCHANGES.number:
        this.exchanges.take(frame);
        return;
      case SLOTS.number:
        this.#early.push(frame);
        return;
      case SERIES.number:
        this.#series(frame);
        return;
    }
  }

  /** After a part has come: lanes and cells for what is new. */
  settle(): void {
    this.connections.settle();
    for (const frame of this.#early) this.slots.take(frame);
    this.#early = [];
    if (this.connections.forget()) this.slots.forget();
  }

  /** Links that carry requests, in the order of the chain. */
  get links(): readonly Link[] {
    return this.face.plan.links.filter((link) => link.purpose === 'traffic');
  }

  #series(frame: Frame): void {
    const [values, seconds, numbers] = ['value', 'second', 'series'].map((n) => frame.column(n));
    for (let row = 0; row < frame.rows; row++) {
      const second = seconds?.[row] ?? 0;
      this.series.add(numbers?.[row] ?? -1, second, values?.[row] ?? Number.NaN);
      if (this.face.state === 'running')
        this.until = Math.max(this.until, (second + this.series.step) * 1e6);
    }
  }
}
