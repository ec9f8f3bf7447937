/**
 * A worker's side of parking listening sockets (io/accept-pause.ts): they go to the supervisor
 * over the IPC channel and come back the same way. `parked-listeners.ts` is the other side.
 */
import type { ListenerParking } from '../io/accept-pause.ts';
import type { FromWorker } from './messages.ts';

/** Sends a message with a handle; `sent` when it is on its way. */
export type SendHandle = (message: FromWorker, handle: unknown, sent: () => void) => void;

export class ProcessParking implements ListenerParking {
  readonly #send: SendHandle;
  readonly #fetching = new Map<number, (handle: unknown) => void>();
  #tickets = 0;

  constructor(send: SendHandle) {
    this.#send = send;
  }

  park(handle: unknown, done: () => void): number {
    this.#tickets += 1;
    this.#send({ type: 'park', ticket: this.#tickets }, handle, done);
    return this.#tickets;
  }

  fetch(ticket: number, got: (handle: unknown) => void): void {
    this.#fetching.set(ticket, got);
    this.#send({ type: 'fetch', ticket }, undefined, () => {});
  }

  drop(ticket: number): void {
    this.#send({ type: 'drop', ticket }, undefined, () => {});
  }

  /** The supervisor has sent it back. */
  returned(ticket: number, handle: unknown): void {
    const got = this.#fetching.get(ticket);
    this.#fetching.delete(ticket);
    got?.(handle);
  }
}
