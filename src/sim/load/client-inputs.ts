/**
 * What one client draws by chance: from a stream of its own, in an order that its own requests
 * give, as in the live engine; so a seed means the same inputs in both.
 */
import type { Instance } from '../../model/run.ts';
import type { ClientsHop } from '../../model/topology.ts';
import type { Micros } from '../../model/units.ts';
import { drawing } from '../../random/distribution.ts';
import type { RandomStream } from '../../random/stream.ts';
import { GET_ITEM, GET_NOTHING, POST_ITEM, type RequestKind } from '../exchange.ts';
import type { PoolChoices } from '../net/connection-pool.ts';
import type { Listener } from '../net/place.ts';
import type { World } from '../world.ts';

const ITEM_PLACE = '{n}';
const ITEMS = 1_000;
const ITEM_PATH = /^\/items\/(?:\d{1,10}|\{n\})(?:\?.*)?$/;

/** What all clients of a group ask for. */
export interface Asked {
  readonly hop: ClientsHop;
  readonly get: RequestKind;
  readonly drawsItem: boolean;
  readonly think: (stream: RandomStream) => Micros;
  readonly patience: (stream: RandomStream) => Micros;
}

export function askedBy(hop: ClientsHop, alivePaths: ReadonlySet<string>): Asked {
  const alive = alivePaths.has(hop.path);
  const kind = alive ? { ...GET_ITEM, alive } : ITEM_PATH.test(hop.path) ? GET_ITEM : GET_NOTHING;
  const { workload } = hop;
  return {
    hop,
    get: kind,
    drawsItem: hop.path.includes(ITEM_PLACE),
    think: workload.kind === 'closed' ? drawing(workload.thinkTime) : () => 0,
    patience: drawing(hop.patience),
  };
}

export class ClientInputs implements PoolChoices {
  readonly #world: World;
  readonly #instance: Instance;
  readonly #asked: Asked;
  readonly #number: number;
  readonly #stream: RandomStream;
  #target: Listener | null = null;
  // Most clients need none of these
  #pauses: RandomStream | null = null;
  #reuse: RandomStream | null = null;
  #patience: RandomStream | null = null;

  constructor(world: World, instance: Instance, asked: Asked, number: number) {
    this.#world = world;
    this.#instance = instance;
    this.#asked = asked;
    this.#number = number;
    this.#stream = this.#of('inputs');
  }

  think(): Micros {
    return this.#asked.think(this.#stream);
  }

  /** For the pauses before its retries. */
  get pauses(): RandomStream {
    this.#pauses ??= this.#of('retries');
    return this.#pauses;
  }

  /** How long it waits for an answer, beside its timeout; 0 = as long as that. */
  patience(): Micros {
    const { patience } = this.#asked.hop;
    if (patience.kind === 'constant') return patience.value;
    this.#patience ??= this.#of('patience');
    return Math.max(1, this.#asked.patience(this.#patience));
  }

  /** One of several, for good: all its connections go there. */
  chooseTarget(from: readonly Listener[]): void {
    this.#target = from[from.length > 1 ? this.#stream.below(from.length) : 0] ?? null;
  }

  target(): Listener | null {
    return this.#target;
  }

  /** Which of its idle connections is used next, where that is left to chance. */
  draw(bound: number): number {
    this.#reuse ??= this.#world.random(this.#instance, `reuse/${this.#number}`);
    return this.#reuse.below(bound);
  }

  /** What the next request asks for. */
  kind(): RequestKind {
    const { hop, get, drawsItem } = this.#asked;
    const post = hop.postShare > 0 && this.#stream.unit() < hop.postShare;
    if (drawsItem) this.#stream.below(ITEMS);
    return post ? POST_ITEM : get;
  }

  #of(purpose: string): RandomStream {
    return this.#world.random(this.#instance, `client/${this.#number}/${purpose}`);
  }
}
