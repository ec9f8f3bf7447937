/**
 * What clients draw by chance: each from streams of its own, in an order that its own requests
 * give, as in the live engine; so a seed means the same inputs in both.
 */
import type { Instance } from '../../model/run.ts';
import type { ClientsHop } from '../../model/topology.ts';
import type { Micros } from '../../model/units.ts';
import { drawing } from '../../random/distribution.ts';
import type { RandomStream } from '../../random/stream.ts';
import { ALIVE, ITEM, POST } from '../exchanges.ts';
import type { Listener } from '../net/place.ts';
import type { World } from '../world.ts';
import { NUMBER, TARGET, type Users } from './users.ts';

const ITEM_PLACE = '{n}';
const ITEMS = 1_000;
const ITEM_PATH = /^\/items\/(?:\d{1,10}|\{n\})(?:\?.*)?$/;

export class ClientInputs {
  readonly #world: World;
  readonly #users: Users;
  readonly #instance: Instance;
  readonly #hop: ClientsHop;
  /** What a GET asks for, as flags of exchanges. */
  readonly #get: number = 0;
  readonly #drawsItem: boolean;
  readonly #think: (stream: RandomStream) => Micros;
  readonly #patience: (stream: RandomStream) => Micros;
  /** Streams that few clients need, by what they are for. */
  readonly #streams = new Map<string, RandomStream>();

  constructor(world: World, instance: Instance, hop: ClientsHop, alivePaths: ReadonlySet<string>) {
    this.#world = world;
    this.#users = world.users;
    this.#instance = instance;
    this.#hop = hop;
    const { path, workload } = hop;
    this.#get = alivePaths.has(path) ? ITEM | ALIVE : ITEM_PATH.test(path) ? ITEM : 0;
    this.#drawsItem = path.includes(ITEM_PLACE);
    this.#think = workload.kind === 'closed' ? drawing(workload.thinkTime) : () => 0;
    this.#patience = drawing(hop.patience);
  }

  /** A client asks for the first time; it goes to one of several targets, for good. */
  begin(user: number, from: readonly Listener[]): void {
    const { hop, replica } = this.#instance;
    const number = this.#users.get(user, NUMBER);
    this.#users.begin(user, this.#world.seed, `${hop}/${replica}/client/${number}/inputs`);
    const stream = this.#users.stream(user);
    const target = from[from.length > 1 ? stream.below(from.length) : 0];
    this.#users.drawn(user);
    this.#users.put(user, TARGET, target === undefined ? 0 : target.number + 1);
  }

  think(user: number): Micros {
    const time = this.#think(this.#users.stream(user));
    this.#users.drawn(user);
    return time;
  }

  /** What the next request asks for, as flags of exchanges. */
  kind(user: number): number {
    const { postShare } = this.#hop;
    if (postShare === 0 && !this.#drawsItem) return this.#get;
    const stream = this.#users.stream(user);
    const posts = postShare > 0 && stream.unit() < postShare;
    if (this.#drawsItem) stream.below(ITEMS);
    this.#users.drawn(user);
    return posts ? POST | ITEM : this.#get;
  }

  /** How long it waits for an answer, beside its timeout; 0 = as long as that. */
  patience(number: number): Micros {
    const { patience } = this.#hop;
    if (patience.kind === 'constant') return patience.value;
    return Math.max(1, this.#patience(this.#stream(`client/${number}/patience`)));
  }

  /** For the pauses before its retries. */
  pause(number: number, bound: number): number {
    return this.#stream(`client/${number}/retries`).below(bound);
  }

  /** Which of its idle connections is used next, where that is left to chance. */
  reuse(number: number, bound: number): number {
    return this.#stream(`reuse/${number}`).below(bound);
  }

  #stream(purpose: string): RandomStream {
    let stream = this.#streams.get(purpose);
    if (stream === undefined) {
      stream = this.#world.random(this.#instance, purpose);
      this.#streams.set(purpose, stream);
    }
    return stream;
  }
}
