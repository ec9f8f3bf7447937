/**
 * Answers that a relay gives by itself. The body names the hop, so that somebody who sees a
 * 502 in a capture knows which of five relays made it.
 */

export type LocalStatus = 400 | 408 | 429 | 431 | 500 | 501 | 502 | 503 | 504 | 505;

const REASONS: Readonly<Record<LocalStatus, string>> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  505: 'HTTP Version Not Supported',
};

export interface LocalAnswer {
  readonly status: LocalStatus;
  /** Why, for the body: printable ASCII. */
  readonly reason: string;
  /** Whole seconds; null = no Retry-After. */
  readonly retryAfter: number | null;
}

/** A whole response in latin1. `connection` is a ready-made header line or ''. */
export function localAnswer(
  answer: LocalAnswer,
  hop: string,
  method: string,
  connection: string,
): string {
  const body = `${hop}: ${answer.status} ${answer.reason}\n`;
  const retry = answer.retryAfter === null ? '' : `Retry-After: ${answer.retryAfter}\r\n`;
  const head =
    `HTTP/1.1 ${answer.status} ${REASONS[answer.status]}\r\nContent-Type: text/plain\r\n` +
    `Content-Length: ${body.length}\r\n${retry}${connection}\r\n`;
  return method === 'HEAD' ? head : head + body;
}
