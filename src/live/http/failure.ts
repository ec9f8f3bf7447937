/**
 * Why a message was refused. A server answers a bad request with `status` and closes; a client
 * treats any of them in a response as a broken upstream (502). Errors are values: a hostile
 * peer must not cost an exception.
 */
export interface MessageFailure {
  readonly status: 400 | 408 | 431 | 501 | 505;
  readonly reason: string;
}

function bad(reason: string): MessageFailure {
  return { status: 400, reason };
}

export const failures = {
  startLine: bad('malformed start line'),
  method: bad('malformed method'),
  target: bad('malformed request target'),
  statusCode: bad('malformed status code'),
  version: { status: 505, reason: 'unsupported HTTP version' },
  bareLf: bad('line feed without carriage return'),
  bareCr: bad('carriage return without line feed'),
  foldedLine: bad('folded header line'),
  fieldName: bad('malformed header name'),
  fieldValue: bad('forbidden character in a header value'),
  headTooLarge: { status: 431, reason: 'message head too large' },
  tooManyFields: { status: 431, reason: 'too many header fields' },
  tab: bad('tab around the value of a field that frames the message'),
  contentLength: bad('malformed or repeated Content-Length'),
  transferEncoding: { status: 501, reason: 'transfer coding other than chunked' },
  repeatedTransferEncoding: bad('repeated Transfer-Encoding'),
  bothLengths: bad('Content-Length with Transfer-Encoding'),
  codingInHttp10: bad('Transfer-Encoding in an HTTP/1.0 message'),
  codingWithoutBody: bad('Transfer-Encoding in a message that has no body'),
  contentInConnect: bad('CONNECT with Content-Length or Transfer-Encoding'),
  host: bad('missing, repeated or malformed Host'),
  connectionOption: bad('Connection names a field that is not hop-by-hop'),
  chunkSize: bad('malformed chunk size'),
  chunkTooLarge: bad('chunk size too large'),
  chunkExtension: bad('malformed or too long chunk extension'),
  chunkEnd: bad('chunk data without its line end'),
  trailer: bad('malformed trailer section'),
  headTimeout: { status: 408, reason: 'the request head took too long' },
  bodyTimeout: { status: 408, reason: 'the request body took too long' },
  trailerField: bad('a trailer field that frames or routes the message'),
  trailerTooLarge: { status: 431, reason: 'trailer section too large' },
} as const satisfies Record<string, MessageFailure>;
