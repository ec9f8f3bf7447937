/**
 * The supervisor's side of parking: it holds the listening sockets of a worker that may not
 * accept at the moment, does nothing with them, and gives them back. When the worker ends they
 * are closed, so that connects are refused again.
 */
import type { FromWorker, ToWorker } from './messages.ts';

interface Handle {
  close(): void;
}

export type SendBack = (message: ToWorker, handle: unknown, sent: () => void) => void;

export class ParkedListeners {
  readonly #sendBack: SendBack;
  readonly #parked = new Map<number, Handle>();

  constructor(sendBack: SendBack) {
    this.#sendBack = sendBack;
  }

  heard(message: FromWorker, handle: unknown): void {
    if (message.type === 'park' && isHandle(handle)) this.#parked.set(message.ticket, handle);
    else if (message.type === 'fetch') this.#giveBack(message.ticket);
    else if (message.type === 'drop') this.#drop(message.ticket);
  }

  closeAll(): void {
    for (const ticket of [...this.#parked.keys()]) this.#drop(ticket);
  }

  #giveBack(ticket: number): void {
    const handle = this.#parked.get(ticket);
    if (handle === undefined) return;
    this.#parked.delete(ticket);
    this.#sendBack({ type: 'returned', ticket }, handle, () => handle.close());
  }

  #drop(ticket: number): void {
    this.#parked.get(ticket)?.close();
    this.#parked.delete(ticket);
  }
}

function isHandle(value: unknown): value is Handle {
  return (
    typeof value === 'object' &&
    value !== null &&
    'close' in value &&
    typeof value.close === 'function'
  );
}
