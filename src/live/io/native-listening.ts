/**
 * Listening on a native socket: every connection that waits is accepted at once, and a process that
 * runs short of descriptors (descriptor-budget.ts) just stops looking at the socket, whose backlog
 * then fills; accept-pause.ts has the long way round that node's servers need.
 */
import { isIP } from 'node:net';
import { getSystemErrorName } from 'node:util';
import { type Accepting, type Listening, type Place, RESTORE_EVERY_MS } from './listening.ts';
import { hears, hearsNoMore, nextToken, type SocketCalls, type Watched } from './native-sockets.ts';
import { NativeTransport } from './native-transport.ts';

/** Connections in a row, before others have their turn. */
const ACCEPTS_MAX = 256;

/** The system is out of descriptors or memory, whatever our budget says: a pause. */
const SHORTAGES = new Set([-12, -23, -24, -105]);
const SHORTAGE_MS = 100;

export function isNumeric({ address }: Place): boolean {
  return isIP(address) === 4;
}

export class NativeListening implements Listening, Watched {
  readonly token = nextToken();
  readonly #calls: SocketCalls;
  readonly #for: Accepting;
  #bound: Place | null = null;
  #socket = -1;
  #accepting = false;
  #paused = false;
  #waiting: NodeJS.Timeout | null = null;

  constructor(calls: SocketCalls, accepting: Accepting) {
    this.#calls = calls;
    this.#for = accepting;
  }

  async open(): Promise<Place> {
    const { address, port } = this.#for.place;
    const error = this.#listen(this.#for.place);
    if (error < 0) throw listenError(error, address, port);
    const local = this.#calls.localAddress(this.#socket);
    this.#bound = { address, port: port === 0 ? local % 65_536 : port };
    return this.#bound;
  }

  suspend(): void {
    if (this.#waiting !== null) clearTimeout(this.#waiting);
    this.#waiting = null;
    if (this.#paused) this.#for.ends.descriptors.budget.forget(this.#resume);
    this.#paused = false;
    this.#accepting = false;
    if (this.#socket < 0) return;
    hearsNoMore(this.#socket);
    this.#calls.close(this.#socket);
    this.#socket = -1;
  }

  restore(): void {
    if (this.#waiting !== null) clearTimeout(this.#waiting);
    this.#waiting = null;
    if (this.#bound === null || this.#socket >= 0) return;
    if (this.#listen(this.#bound) >= 0) return;
    this.#waiting = setTimeout(() => this.restore(), RESTORE_EVERY_MS);
  }

  async close(): Promise<void> {
    this.suspend();
  }

  /** For native-sockets.ts only: connections wait. */
  ready(): void {
    for (let count = 0; count < ACCEPTS_MAX && this.#accepting; count++) {
      const token = nextToken();
      const socket = this.#calls.accept(this.#socket, token);
      if (socket >= 0) this.#accepted(token, socket);
      else if (SHORTAGES.has(socket)) this.#rest();
      // Nobody waits, or who did has gone (ECONNABORTED): the socket is looked at again.
      else return;
    }
  }

  /** 0, or a negative error number. */
  #listen({ address, port }: Place): number {
    const socket = this.#calls.listen(address, port, this.#for.backlog);
    if (socket < 0) return socket;
    this.#socket = socket;
    hears(socket, this);
    this.#accept();
    return 0;
  }

  #accept(): void {
    this.#accepting = true;
    this.#calls.watch(this.#socket, this.token);
  }

  #stop(): void {
    this.#accepting = false;
    this.#calls.unwatch(this.#socket);
  }

  #accepted(token: number, socket: number): void {
    const { ends, link } = this.#for;
    const calls = this.#calls;
    const end = this.#for.accepted({
      transport: (owner) => NativeTransport.accepted(calls, owner, token, socket),
    });
    const { budget, entries } = ends.descriptors;
    if (!entries.has(link.index)) {
      if (budget.isOver) end.reset('overflow');
      else this.#for.begun(end);
      return;
    }
    if (!budget.mayEnter) this.#pause();
    this.#for.begun(end);
  }

  #pause(): void {
    const { budget, say } = this.#for.ends.descriptors;
    const { used, limit } = budget;
    this.#paused = true;
    this.#stop();
    say(`${this.#for.link.name}: accepting stops, ${used} of ${limit} descriptors are in use`);
    budget.whenFree(this.#resume);
  }

  readonly #resume = (): void => {
    const { budget, say } = this.#for.ends.descriptors;
    const { used, limit } = budget;
    this.#paused = false;
    this.#accept();
    say(`${this.#for.link.name}: accepting again, ${used} of ${limit} are in use`);
  };

  #rest(): void {
    this.#stop();
    this.#waiting = setTimeout(() => {
      this.#waiting = null;
      if (!this.#paused) this.#accept();
    }, SHORTAGE_MS);
  }
}

/** As node's. */
function listenError(error: number, address: string, port: number): Error {
  const code = getSystemErrorName(error);
  const message = `listen ${code}: ${address}:${port}`;
  return Object.assign(new Error(message), { code, syscall: 'listen', address, port });
}
