/**
 * What one client draws by chance: from a stream of its own, in an order that its own requests
 * give, as in the live engine; so a seed means the same inputs in both.
 */
import type { Instance } from '../../model/run.ts';
import type { ClientsHop } from '../../model/topology.ts';
import type { Micros } from '../../model/units.ts';
import { sampler } from '../../random/distribution.ts';
import type { RandomStream } from '../../random/stream.ts';
import { GET_ITEM, GET_NOTHING, POST_ITEM, type RequestKind } from '../exchange.ts';
import type { World } from '../world.ts';

const ITEM_PLACE = '{n}';
const ITEMS = 1_000;
const ITEM_PATH = /^\/items\/(?:\d{1,10}|\{n\})(?:\?.*)?$/;

/** What all clients of a group ask for. */
export interface Asked {
  readonly hop: ClientsHop;
  readonly get: RequestKind;
  readonly drawsItem: boolean;
}

export function askedBy(hop: ClientsHop, alivePaths: ReadonlySet<string>): Asked {
  const alive = alivePaths.has(hop.path);
  const kind = alive ? { ...GET_ITEM, alive } : ITEM_PATH.test(hop.path) ? GET_ITEM : GET_NOTHING;
  return { hop, get: kind, drawsItem: hop.path.includes(ITEM_PLACE) };
}

export class ClientInputs {
  readonly think: () => Micros;
  readonly #asked: Asked;
  readonly #stream: RandomStream;
  readonly #pausesOf: () => RandomStream;
  #pauses: RandomStream | null = null;
  readonly #patienceOf: () => RandomStream;
  #patience: (() => Micros) | null = null;

  constructor(world: World, instance: Instance, asked: Asked, number: number) {
    const { workload } = asked.hop;
    this.#asked = asked;
    this.#stream = world.random(instance, `client/${number}/inputs`);
    this.#patienceOf = () => world.random(instance, `client/${number}/patience`);
    this.#pausesOf = () => world.random(instance, `client/${number}/retries`);
    this.think = workload.kind === 'closed' ? sampler(workload.thinkTime, this.#stream) : () => 0;
  }

  /** For the pauses before its retries. */
  get pauses(): RandomStream {
    this.#pauses ??= this.#pausesOf();
    return this.#pauses;
  }

  /** How long it waits for an answer, beside its timeout; 0 = as long as that. */
  patience(): Micros {
    const { patience } = this.#asked.hop;
    if (patience.kind === 'constant') return patience.value;
    this.#patience ??= sampler(patience, this.#patienceOf());
    return Math.max(1, this.#patience());
  }

  /** One of several, drawn once. */
  choose<T>(from: readonly T[]): T | null {
    return from[from.length > 1 ? this.#stream.below(from.length) : 0] ?? null;
  }

  /** What the next request asks for. */
  kind(): RequestKind {
    const { hop, get, drawsItem } = this.#asked;
    const post = hop.postShare > 0 && this.#stream.unit() < hop.postShare;
    if (drawsItem) this.#stream.below(ITEMS);
    return post ? POST_ITEM : get;
  }
}
