/** The bytes of a client's requests: made once, but for what differs from one to the next. */
import type { Endpoint } from '../../model/run.ts';
import type { ClientsHop } from '../../model/topology.ts';
import { encodeTraceparent } from '../http/trace-context.ts';
import type { ConnectionEnd } from '../io/connection-end.ts';
import type { LoadRequest } from './attempt.ts';
import { ITEM_PLACE } from './inputs.ts';

const JSON_FRAME = '{"name":""}';

export class RequestBytes {
  readonly #pathParts: readonly string[];
  readonly #getTail: string;
  readonly #wholeGet: string;
  readonly #postHead: string;
  readonly #postTail: string;
  readonly #process: number;
  readonly #traced: boolean;

  /** `traced`: requests carry a `traceparent` with this process's number. */
  constructor(hop: ClientsHop, target: Endpoint, process: number, traced: boolean) {
    const fields =
      `Host: ${target.address}:${target.port}\r\n` +
      `User-Agent: waterhammer/${hop.name}\r\nAccept: */*\r\n`;
    const body = bodyOf(hop.bodyBytes);
    this.#pathParts = hop.path.split(ITEM_PLACE);
    this.#getTail = ` HTTP/1.1\r\n${fields}`;
    this.#wholeGet = `GET ${hop.path}${this.#getTail}\r\n`;
    this.#postHead =
      `POST /items HTTP/1.1\r\n${fields}Content-Type: application/json\r\n` +
      `Content-Length: ${body.length}\r\n`;
    this.#postTail = `\r\n${body}`;
    this.#process = process;
    this.#traced = traced;
  }

  /** A request as latin1, one write. `ordinal` is the exchange's on that end. */
  of(request: LoadRequest, end: ConnectionEnd, ordinal: number): string {
    const isPost = request.method === 'POST';
    if (!this.#traced && !isPost && request.item === 0) return this.#wholeGet;
    const trace = this.#traced
      ? `traceparent: ${encodeTraceparent(this.#process, end.number, ordinal)}\r\n`
      : '';
    if (isPost) return `${this.#postHead}${trace}${this.#postTail}`;
    const path = this.#pathParts.join(String(request.item));
    return `GET ${path}${this.#getTail}${trace}\r\n`;
  }
}

/** JSON of exactly that many bytes: an object with a name, or a number where that is too long. */
function bodyOf(bytes: number): string {
  if (bytes < JSON_FRAME.length) return '1'.repeat(bytes);
  return JSON.stringify({ name: 'x'.repeat(bytes - JSON_FRAME.length) });
}
