/**
 * What one client draws by chance: where it connects to, what it asks for, how long it thinks.
 * Each client has a stream of its own, and draws from it in an order that its own requests
 * give, so that a seed gives the same inputs however the answers of other clients fall. What
 * depends on the course of the run (pauses before retries) has another stream.
 */
import type { ClientsHop } from '../../model/topology.ts';
import type { Micros } from '../../model/units.ts';
import { sampler } from '../../random/distribution.ts';
import type { RandomStream } from '../../random/stream.ts';

/** Stands in a path for a number that is drawn for each request. */
export const ITEM_PLACE = '{n}';
/** `{n}` in a path becomes a number in 1 .. ITEMS. */
const ITEMS = 1_000;

export class ClientInputs {
  /** The next think time; always 0 in an open workload. */
  readonly think: () => Micros;
  readonly #random: (purpose: string) => RandomStream;
  readonly #stream: RandomStream;
  #pauses: RandomStream | null = null;
  readonly #postShare: number;
  readonly #hasItem: boolean;
  readonly #hop: ClientsHop;
  #patience: (() => Micros) | null = null;

  constructor(hop: ClientsHop, random: (purpose: string) => RandomStream) {
    const { workload, postShare, path } = hop;
    const stream = random('inputs');
    this.#random = random;
    this.#hop = hop;
    this.#stream = stream;
    this.#postShare = postShare;
    this.#hasItem = path.includes(ITEM_PLACE);
    this.think = workload.kind === 'closed' ? sampler(workload.thinkTime, stream) : () => 0;
  }

  /** For the pauses before its retries. */
  get pauses(): RandomStream {
    this.#pauses ??= this.#random('retries');
    return this.#pauses;
  }

  /** How long it waits for an answer, beside its timeout; 0 = as long as that. */
  patience(): Micros {
    const { patience } = this.#hop;
    if (patience.kind === 'constant') return patience.value;
    this.#patience ??= sampler(patience, this.#random('patience'));
    return Math.max(1, this.#patience());
  }

  /** One of several, to be drawn once. */
  choose<T>(from: readonly T[]): T {
    const chosen = from[from.length > 1 ? this.#stream.below(from.length) : 0];
    if (chosen === undefined) throw new Error('clients have nowhere to connect to');
    return chosen;
  }

  method(): 'GET' | 'POST' {
    if (this.#postShare <= 0) return 'GET';
    return this.#stream.unit() < this.#postShare ? 'POST' : 'GET';
  }

  item(): number {
    return this.#hasItem ? 1 + this.#stream.below(ITEMS) : 0;
  }
}
