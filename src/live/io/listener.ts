/**
 * A listener of one link: accepts every connection and hands out ConnectionEnds, not yet reading.
 * How it listens is the sockets' affair: natively (native-listening.ts) or with a server of node's
 * (node-listening.ts), which is also for places that are names instead of addresses.
 */
import { packAddress } from '../../model/event.ts';
import type { Endpoint, Link } from '../../model/run.ts';
import type { ConnectionEnd, EndHandlers, EndRegistry } from './connection-end.ts';
import { placeOf } from './listen-on.ts';
import type { Accepting, Listening, Place } from './listening.ts';
import { isNumeric, NativeListening } from './native-listening.ts';
import { nativeSockets } from './native-sockets.ts';
import { NodeListening } from './node-listening.ts';
import type { Accepted } from './transport.ts';

/** For owners that set `end.handlers` for each end in `onAccept`. */
export const noHandlers: EndHandlers = {
  onData() {},
  onEnd() {},
  onDrain() {},
  onClose() {},
};

export interface ListenerOptions {
  readonly instance: number;
  readonly link: Link;
  /** `address:port`, or null for any free port of 127.0.0.1. */
  readonly listen: string | null;
  /** Connections that may wait in the kernel's accept queue. */
  readonly backlog: number;
  readonly ends: EndRegistry;
  readonly handlers: EndHandlers;
  /** Called with each accepted end; call `end.resume()` to start reading. */
  readonly onAccept: (end: ConnectionEnd) => void;
}

export class Listener implements Accepting {
  readonly link: Link;
  readonly ends: EndRegistry;
  readonly place: Place;
  readonly backlog: number;
  readonly #options: ListenerOptions;
  readonly #listening: Listening;
  /** Where connections are accepted, packed; 0 where that is known only one by one. */
  #local = 0;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.link = options.link;
    this.ends = options.ends;
    this.place = placeOf(options.listen);
    this.backlog = options.backlog;
    this.#listening =
      nativeSockets !== null && isNumeric(this.place)
        ? new NativeListening(nativeSockets, this)
        : new NodeListening(this);
  }

  /** Rejects with the system's error (EADDRINUSE, EACCES) when it cannot listen. */
  async open(): Promise<Endpoint> {
    const { instance, link } = this.#options;
    const { address, port } = await this.#listening.open();
    this.#local = address === '0.0.0.0' ? 0 : packAddress(address, port);
    return { instance, link: link.index, address, port };
  }

  suspend(): void {
    this.#listening.suspend();
  }

  restore(): void {
    this.#listening.restore();
  }

  close(): Promise<void> {
    return this.#listening.close();
  }

  // Accepting

  accepted(socket: Accepted): ConnectionEnd {
    const { ends, link, handlers } = this.#options;
    return ends.accept(link, handlers, socket, this.#local);
  }

  begun(end: ConnectionEnd): void {
    this.#options.onAccept(end);
  }
}
