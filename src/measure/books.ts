/**
 * The list of what does not balance. Every check of the ledger reports here; disagreements of
 * one kind on one link become one entry with a count and the first examples, readable enough to
 * find the connection in a capture.
 *
 * Two nets catch a missing event. The numbering of events (`sequences.ts`) catches every one,
 * and is the only net for some: `health`, `mark`, the end of a refused connect (it looks as if
 * still tried), the `requestDone` of a request that did not succeed (its client may be about to
 * try again), a `held` between `yielded` and `active`, and an `active` after `held` when the
 * connection yielded before and carries nothing more. The meaning of the events catches all
 * others, which is what finds a hop that *forgets* to tell: `books.test.ts` holds the list.
 */
import { unpackAddress } from '../model/event.ts';
import type { Imbalance } from '../model/summary.ts';
import type { RunShape } from './shape.ts';
import type { End } from './state.ts';

const EXAMPLES_MAX = 20;

interface Entry {
  readonly kind: string;
  readonly link: string | null;
  readonly text: string;
  readonly examples: string[];
  readonly explained: boolean;
  count: number;
}

export type Weight = 'wrong' | 'explained';

export class Books {
  readonly #entries = new Map<string, Entry>();
  readonly #shape: RunShape;

  constructor(shape: RunShape) {
    this.#shape = shape;
  }

  /** Lists one disagreement. `text` says in one sentence what is wrong with all of this kind. */
  report(kind: string, weight: Weight, link: string | null, text: string, example: string): void {
    const key = `${kind}\n${weight}\n${link}`;
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      entry = { kind, link, text, examples: [], explained: weight === 'explained', count: 0 };
      this.#entries.set(key, entry);
    }
    entry.count += 1;
    if (entry.examples.length < EXAMPLES_MAX) entry.examples.push(example);
  }

  /** The same for something that one end is about. */
  ofEnd(kind: string, weight: Weight, end: End, text: string): void {
    this.report(kind, weight, end.link.name, text, this.nameOf(end));
  }

  /** `queue#0 accepted 127.0.0.1:80 from 127.0.0.1:4711 (process 1, end 17)` */
  nameOf(end: End): string {
    const instance = this.#shape.instances[end.instance]?.name ?? `instance ${end.instance}`;
    const verb = end.acceptor ? 'accepted' : 'connected';
    const preposition = end.acceptor ? 'from' : 'to';
    const [local, remote] = [unpackAddress(end.local), unpackAddress(end.remote)];
    const tuple = end.remote === 0 ? '' : ` ${local} ${preposition} ${remote}`;
    return `${instance} ${verb}${tuple} (process ${end.process}, end ${end.number})`;
  }

  get imbalances(): Imbalance[] {
    return [...this.#entries.values()];
  }

  get wrong(): boolean {
    for (const entry of this.#entries.values()) if (!entry.explained) return true;
    return false;
  }
}
