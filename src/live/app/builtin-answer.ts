/** The app's responses as bytes, for the built-in front: one string, one write. */
import { STATUS_CODES } from 'node:http';

export const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';

const CLOSE_LINE = 'Connection: close\r\n';
const heads = new Map<number, string>();

let dateSecond = 0;
let dateLine = '';

/** RFC 9110 section 6.6.1: an origin server with a clock says when; made once a second. */
function date(): string {
  const second = Math.floor(Date.now() / 1_000);
  if (second !== dateSecond) {
    dateSecond = second;
    dateLine = `Date: ${new Date(second * 1_000).toUTCString()}\r\n`;
  }
  return dateLine;
}

function headOf(status: number): string {
  const known = heads.get(status);
  if (known !== undefined) return known;
  const reason = STATUS_CODES[status] ?? '';
  const made = `HTTP/1.1 ${status} ${reason}\r\nContent-Type: application/json\r\n`;
  heads.set(status, made);
  return made;
}

/** A response; latin1 text where it is ASCII, which nearly all are, else bytes. */
export function answerText(
  status: number,
  json: string,
  closes: boolean,
  isHead: boolean,
): string | Buffer {
  const bytes = Buffer.byteLength(json);
  const close = closes ? CLOSE_LINE : '';
  const head = `${headOf(status)}${date()}Content-Length: ${bytes}\r\n${close}\r\n`;
  if (isHead) return head;
  return bytes === json.length ? head + json : Buffer.from(head + json);
}

/** The response to what is no request; the connection closes after it. */
export function failureText(status: number, reason: string): string | Buffer {
  return answerText(status, JSON.stringify({ error: reason }), true, false);
}
