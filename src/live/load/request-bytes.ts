/** The bytes of a client's requests: made once, but for what differs from one to the next. */
import type { Endpoint } from '../../model/run.ts';
import type { ClientsHop } from '../../model/topology.ts';
import type { RandomStream } from '../../random/stream.ts';
import { encodeTraceparent } from '../http/trace-context.ts';
import type { ConnectionEnd } from '../io/connection-end.ts';

/** `{n}` in a path becomes a number in 1 .. ITEMS. */
const ITEMS = 1_000;
const PLACE = '{n}';

export class RequestBytes {
  readonly #path: string;
  readonly #getTail: string;
  readonly #postHead: string;
  readonly #postTail: string;
  readonly #traced: number | null;
  readonly #items: RandomStream;

  /** `traced`: this process's number, when requests must carry a traceparent; else null. */
  constructor(hop: ClientsHop, target: Endpoint, traced: number | null, items: RandomStream) {
    const fields = `Host: ${target.address}:${target.port}\r\nUser-Agent: waterhammer/${hop.name}\r\n`;
    const body = JSON.stringify({ name: 'x'.repeat(Math.max(0, hop.bodyBytes - 11)) });
    this.#path = hop.path;
    this.#getTail = ` HTTP/1.1\r\n${fields}`;
    this.#postHead =
      `POST /items HTTP/1.1\r\n${fields}Content-Type: application/json\r\n` +
      `Content-Length: ${body.length}\r\n`;
    this.#postTail = `\r\n${body}`;
    this.#traced = traced;
    this.#items = items;
  }

  of(method: 'GET' | 'POST', end: ConnectionEnd, ordinal: number): string {
    const trace =
      this.#traced === null
        ? ''
        : `traceparent: ${encodeTraceparent(this.#traced, end.number, ordinal)}\r\n`;
    if (method === 'POST') return `${this.#postHead}${trace}${this.#postTail}`;
    return `GET ${this.#target()}${this.#getTail}${trace}\r\n`;
  }

  #target(): string {
    if (!this.#path.includes(PLACE)) return this.#path;
    return this.#path.replace(PLACE, String(1 + this.#items.below(ITEMS)));
  }
}
