/**
 * Stops and resumes accepting at one listening socket, when its process runs short of
 * descriptors (descriptor-budget.ts).
 *
 *   open ──budget used up──► leaving ──handed over──► parked ──descriptors free──► returning
 *    ▲                                                                                 │
 *    └──────────────────────────── the handle is back ◄────────────────────────────────┘
 *
 * Neither node nor libuv can leave connections waiting at a socket on which they listen, and
 * closing the socket resets those in its backlog. But a socket lives as long as any process has
 * a descriptor of it: so ours is handed to the supervisor (SCM_RIGHTS, unix(7)), which does not
 * accept, and closed here; later it is handed back. Meanwhile a client sees what it would see of
 * HAProxy at its `maxconn`: its connect succeeds as long as the backlog has room (its length),
 * then its SYN is repeated after 1, 3, 7 s; what it sends waits in the kernel; an answer comes
 * when there are descriptors again, and a connect is refused only when the host is down.
 *
 * Until the supervisor has the socket (mostly the same turn of the event loop), accepting goes
 * on: the budget leaves room for that. Connections between hops of one process never wait so (see
 * descriptor-budget.ts): one too many is accepted and closed, which its connector sees as a reset.
 */
import type net from 'node:net';
import type { Link } from '../../model/run.ts';
import { DescriptorBudget } from './descriptor-budget.ts';
import type { Accepting } from './listening.ts';

/** Keeps listening sockets open without accepting from them. */
export interface ListenerParking {
  /** Hands a handle over; `done` when ours may be closed. Returns the ticket for it. */
  park(handle: unknown, done: () => void): number;
  /** Gets a handle of the same socket back. */
  fetch(ticket: number, got: (handle: unknown) => void): void;
  /** Closes what was parked. */
  drop(ticket: number): void;
}

/** What the connections and listeners of one process share. */
export interface Descriptors {
  readonly budget: DescriptorBudget;
  /** Links (by index) whose connections are entries of this process. */
  readonly entries: ReadonlySet<number>;
  /** null: accepting is never stopped. */
  readonly parking: ListenerParking | null;
  readonly say: (text: string) => void;
}

export function unlimitedDescriptors(): Descriptors {
  const budget = new DescriptorBudget(Number.POSITIVE_INFINITY);
  return { budget, entries: new Set(), parking: null, say: () => {} };
}

export class AcceptPause {
  readonly #server: net.Server;
  readonly #link: Link;
  readonly #descriptors: Descriptors;
  readonly #listen: (handle: unknown) => void;
  /** Of the pause that goes on; null while accepting. */
  #ticket: number | null = null;
  #parked = false;

  /** @param listen makes the server listen on a handle that came back */
  constructor(
    server: net.Server,
    link: Link,
    descriptors: Descriptors,
    listen: (handle: unknown) => void,
  ) {
    this.#server = server;
    this.#link = link;
    this.#descriptors = descriptors;
    this.#listen = listen;
  }

  /** Call after each accept. False: it is one too many, and must be closed. */
  check(): boolean {
    const { budget, entries } = this.#descriptors;
    if (!entries.has(this.#link.index)) return !budget.isOver;
    if (!budget.mayEnter && this.#ticket === null) this.#leave();
    return true;
  }

  #leave(): void {
    const { budget, parking, say } = this.#descriptors;
    if (parking === null) return;
    const handle: unknown = Reflect.get(this.#server, '_handle');
    if (!isClosable(handle)) return;
    const ticket = parking.park(handle, () => this.#left(parking, ticket, handle));
    this.#ticket = ticket;
    const { used, limit } = budget;
    say(`${this.#link.name}: accepting stops, ${used} of ${limit} descriptors are in use`);
  }

  /** Listening ends for another reason; what waits in the backlog is reset. */
  end(): void {
    const { budget, parking } = this.#descriptors;
    if (this.#ticket === null) return;
    if (this.#parked) {
      budget.forget(this.#return);
      parking?.drop(this.#ticket);
    }
    this.#ticket = null;
    this.#parked = false;
  }

  #left(parking: ListenerParking, ticket: number, handle: Closable): void {
    if (this.#ticket !== ticket) {
      parking.drop(ticket);
      return;
    }
    // Not with the server's close(), which for node:http also ends connections.
    Reflect.set(this.#server, '_handle', null);
    handle.close();
    this.#parked = true;
    this.#descriptors.budget.whenFree(this.#return);
  }

  readonly #return = (): void => {
    const { parking, budget, say } = this.#descriptors;
    const ticket = this.#ticket;
    if (ticket === null || parking === null) return;
    this.#parked = false;
    parking.fetch(ticket, (handle) => {
      if (this.#ticket === ticket) {
        this.#ticket = null;
        this.#listen(handle);
        say(`${this.#link.name}: accepting again, ${budget.used} of ${budget.limit} are in use`);
      } else if (isClosable(handle)) handle.close();
    });
  };
}

/** @param resumed called when the server listens again */
export function pauseOf(
  server: net.Server,
  { ends, link, backlog }: Pick<Accepting, 'ends' | 'link' | 'backlog'>,
  resumed: () => void,
): AcceptPause {
  return new AcceptPause(server, link, ends.descriptors, (handle) => {
    server.listen(handle, backlog, resumed);
  });
}

interface Closable {
  close(): void;
}

function isClosable(value: unknown): value is Closable {
  return (
    typeof value === 'object' &&
    value !== null &&
    'close' in value &&
    typeof value.close === 'function'
  );
}
