/**
 * The head parser against a table of cases, against itself on bytes cut at every position, and
 * against node:http (llhttp): what it accepts, node accepts too and reads in the same way.
 */
import http from 'node:http';
import net from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BodyFramer } from './body-framer.ts';
import { failures } from './failure.ts';
import { HEAD_BYTES_MAX, HeadParser } from './head-parser.ts';
import type { MessageKind } from './message-head.ts';

interface Parsed {
  readonly failure: string | null;
  readonly complete: boolean;
  readonly method: string;
  readonly target: string;
  readonly status: number;
  readonly fields: readonly (readonly [string, string])[];
  readonly body: string;
  readonly rest: string;
  readonly persistent: boolean;
}

/** Parses one message cut at the given positions. */
function parse(kind: MessageKind, text: string, cuts: readonly number[] = []): Parsed {
  const all = Buffer.from(text, 'latin1');
  const parser = new HeadParser(kind);
  const framer = new BodyFramer();
  let body = '';
  let rest = '';
  let begun = false;
  let result: Parsed | null = null;
  const edges = [0, ...cuts, all.length];
  for (let i = 1; i < edges.length; i++) {
    // A copy per piece, so that nothing can look beyond its end or keep a reference.
    const piece = Buffer.from(all.subarray(edges[i - 1], edges[i]));
    let at = 0;
    if (!parser.done) at = parser.feed(piece, 0, piece.length);
    if (parser.failed) return failedWith(parser.failure?.reason ?? '');
    if (!parser.done) continue;
    if (!begun) {
      begun = true;
      const { head } = parser;
      framer.begin(head.bodyKind('GET'), head.contentLength);
      result = {
        failure: null,
        complete: true,
        method: head.method,
        target: kind === 'request' ? head.target() : '',
        status: head.status,
        fields: Array.from({ length: head.fieldCount }, (_, f) => [head.name(f), head.value(f)]),
        body: '',
        rest: '',
        persistent: head.persistent,
      };
    }
    const end = framer.feedPayload(piece, at, piece.length, (from, to) => {
      body += piece.toString('latin1', from, to);
    });
    if (framer.failure !== null) return failedWith(framer.failure.reason);
    rest += piece.toString('latin1', end);
  }
  if (result === null) return { ...failedWith(''), failure: null };
  return { ...result, body, rest, complete: framer.done };
}

function failedWith(failure: string): Parsed {
  return {
    failure,
    complete: false,
    method: '',
    target: '',
    status: 0,
    fields: [],
    body: '',
    rest: '',
    persistent: false,
  };
}

const host = 'Host: a\r\n';
const coded = `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n`;
const accepted: readonly string[] = [
  `GET / HTTP/1.1\r\n${host}\r\n`,
  `\r\nGET / HTTP/1.1\r\n${host}\r\n`,
  `GET /a?b=c|{d} HTTP/1.1\r\nHOST:a:80\r\n\r\n`,
  'GET / HTTP/1.0\r\n\r\n',
  'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n',
  `OPTIONS * HTTP/1.1\r\n${host}\r\n`,
  `GET http://a/b HTTP/1.1\r\n${host}\r\n`,
  `GET / HTTP/1.1\r\n${host}X:\r\nY: \t \r\nZ: a \t b\t \r\n\r\n`,
  `GET / HTTP/1.1\r\n${host}X: caf\xe9\r\n\r\n`,
  `GET / HTTP/1.1\r\n${host}Connection: close\r\n\r\n`,
  `POST / HTTP/1.1\r\n${host}Content-Length: 5\r\n\r\nhelloGET /next`,
  `POST / HTTP/1.1\r\n${host}Content-Length: 0\r\n\r\n`,
  `${coded}5\r\nhello\r\n0\r\n\r\nrest`,
  `POST / HTTP/1.1\r\n${host}transfer-encoding: Chunked\r\n\r\n` +
    'A;x=y;z;q="a\\"; b"\r\n0123456789\r\n00\r\nT: 1\r\n\r\n',
  `POST / HTTP/1.1\r\n${host}Expect: 100-continue\r\nContent-Length: 1\r\n\r\nx`,
  `PATCH / HTTP/1.1\r\n${host}Connection: close, x\r\nX: 1\r\n\r\n`,
];

const refused: readonly (readonly [string, string])[] = [
  ...['Transfer-Encoding: chunked\t', 'Transfer-Encoding:\tchunked', 'Content-Length: 1 \t'].map(
    (line): [string, string] => [`POST / HTTP/1.1\r\n${host}${line}\r\n\r\n`, failures.tab.reason],
  ),
  ['GET / HTTP/1.1\r\n\r\n', failures.host.reason],
  [`GET / HTTP/1.1\r\n${host}${host}\r\n`, failures.host.reason],
  ['GET / HTTP/1.1\r\nHost: a, b\r\n\r\n', failures.host.reason],
  ['GET / HTTP/1.1\r\nHost: a/b\r\n\r\n', failures.host.reason],
  [`GET / HTTP/1.1\n${host}\r\n`, failures.bareLf.reason],
  ['GET / HTTP/1.1\r\nHost: a\n\r\n', failures.bareLf.reason],
  [`GET / HTTP/1.1\r\n${host}\n`, failures.bareLf.reason],
  [`GET / HTTP/1.1\r\n${host}X: a\rb\r\n\r\n`, failures.bareCr.reason],
  [`GET / HTTP/1.1\r\n${host}X: a\r\n b\r\n\r\n`, failures.foldedLine.reason],
  [`GET / HTTP/1.1\r\n ${host}\r\n`, failures.foldedLine.reason],
  ['GET / HTTP/1.1\r\nHost : a\r\n\r\n', failures.fieldName.reason],
  [`GET / HTTP/1.1\r\n${host}X\x00: a\r\n\r\n`, failures.fieldName.reason],
  [`GET / HTTP/1.1\r\n${host}: a\r\n\r\n`, failures.fieldName.reason],
  [`GET / HTTP/1.1\r\n${host}X: a\x00b\r\n\r\n`, failures.fieldValue.reason],
  [`GET / HTTP/1.1\r\n${host}X: a\x7fb\r\n\r\n`, failures.fieldValue.reason],
  [`G\x00T / HTTP/1.1\r\n${host}\r\n`, failures.method.reason],
  [` GET / HTTP/1.1\r\n${host}\r\n`, failures.method.reason],
  [`${'A'.repeat(33)} / HTTP/1.1\r\n${host}\r\n`, failures.method.reason],
  [`GET  / HTTP/1.1\r\n${host}\r\n`, failures.target.reason],
  [`GET /a#b HTTP/1.1\r\n${host}\r\n`, failures.target.reason],
  [`GET /\xe9 HTTP/1.1\r\n${host}\r\n`, failures.target.reason],
  [`GET a HTTP/1.1\r\n${host}\r\n`, failures.target.reason],
  [`GET * HTTP/1.1\r\n${host}\r\n`, failures.target.reason],
  [`GET / HTTP/1.1 \r\n${host}\r\n`, failures.startLine.reason],
  ['GET /\r\n\r\n', failures.target.reason],
  [`GET / HTTP/2.0\r\n${host}\r\n`, failures.version.reason],
  [`GET / HTTP/1.2\r\n${host}\r\n`, failures.version.reason],
  [`GET / HTTP/1.1x\r\n${host}\r\n`, failures.startLine.reason],
  [`GET / http/1.1\r\n${host}\r\n`, failures.startLine.reason],
  ...['', '+1', '-1', '1,1', '1 1', '0x1', '1e1', '1.0', '9'.repeat(16)].map(
    (length): [string, string] => [
      `POST / HTTP/1.1\r\n${host}Content-Length: ${length}\r\n\r\n`,
      failures.contentLength.reason,
    ],
  ),
  [
    `POST / HTTP/1.1\r\n${host}Content-Length: 1\r\nContent-Length: 1\r\n\r\n`,
    failures.contentLength.reason,
  ],
  [
    `POST / HTTP/1.1\r\n${host}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`,
    failures.bothLengths.reason,
  ],
  [
    `POST / HTTP/1.1\r\n${host}Transfer-Encoding: gzip, chunked\r\n\r\n`,
    failures.transferEncoding.reason,
  ],
  [
    `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n`,
    failures.repeatedTransferEncoding.reason,
  ],
  ['POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n', failures.codingInHttp10.reason],
  [
    `GET / HTTP/1.1\r\n${host}Connection: content-length\r\nContent-Length: 0\r\n\r\n`,
    failures.connectionOption.reason,
  ],
  ...['', ' 5', '5 ', '-5', '0x5', 'g', '1'.repeat(14)].map((size): [string, string] => [
    `${coded}${size}\r\nhello\r\n0\r\n\r\n`,
    size.length > 5 ? failures.chunkTooLarge.reason : failures.chunkSize.reason,
  ]),
  ...[';', ';,', ';a=', ';a b', '; a', ';a="b', ';a="b"c', ';a="\x01"'].map(
    (extension): [string, string] => [
      `${coded}1${extension}\r\na\r\n0\r\n\r\n`,
      failures.chunkExtension.reason,
    ],
  ),
  [`${coded}5\r\nhelloX\r\n0\r\n\r\n`, failures.chunkEnd.reason],
  [`${coded}5\nhello\r\n0\r\n\r\n`, failures.chunkSize.reason],
  [`${coded}0\r\nbad trailer\r\n\r\n`, failures.trailer.reason],
  ...['Content-Length: 5', 'transfer-encoding: chunked', 'HOST: b'].map(
    (line): [string, string] => [
      `${coded}0\r\nT: 1\r\n${line}\r\n\r\n`,
      failures.trailerField.reason,
    ],
  ),
  ...['a', 'a:', ':443', 'a:65536', 'a:4x', '/a:1', 'u@a:1'].map((target): [string, string] => [
    `CONNECT ${target} HTTP/1.1\r\n${host}\r\n`,
    failures.target.reason,
  ]),
  [`CONNECT a:1 HTTP/1.1\r\n${host}Content-Length: 0\r\n\r\n`, failures.contentInConnect.reason],
  [
    `CONNECT a:1 HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    failures.contentInConnect.reason,
  ],
];

const responses: readonly string[] = [
  'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP',
  'HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
  'HTTP/1.1 204 No Content\r\n\r\nHTTP',
  'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nHTTP',
  'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK',
  'HTTP/1.0 200 OK\r\n\r\nuntil the end',
];

const refusedResponses: readonly (readonly [string, string])[] = [
  ['HTTP/1.1 20 OK\r\n\r\n', failures.statusCode.reason],
  ['HTTP/1.1 099 X\r\n\r\n', failures.statusCode.reason],
  ['HTTP/1.1 2000 OK\r\n\r\n', failures.statusCode.reason],
  ['HTTP/1.1 200\r\n\r\n', failures.statusCode.reason],
  ['HTTP/1.1  200 OK\r\n\r\n', failures.statusCode.reason],
  ['ICY 200 OK\r\n\r\n', failures.startLine.reason],
  ['HTTP/1.1 204 X\r\nTransfer-Encoding: chunked\r\n\r\n', failures.codingWithoutBody.reason],
  [
    'HTTP/1.1 200 X\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
    failures.bothLengths.reason,
  ],
  [
    'HTTP/1.1 200 X\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
    failures.contentLength.reason,
  ],
];

describe('head parser', () => {
  it.each(accepted)('accepts %j', (text) => {
    expect(parse('request', text)).toMatchObject({ failure: null, complete: true });
  });

  it.each(refused)('refuses %j', (text, reason) => {
    expect(parse('request', text).failure).toBe(reason);
  });

  it.each(refusedResponses)('refuses response %j', (text, reason) => {
    expect(parse('response', text).failure).toBe(reason);
  });

  it('gives the same result however the bytes are cut', () => {
    const cases = [
      ...accepted.map((text) => ['request', text] as const),
      ...refused.map(([text]) => ['request', text] as const),
      ...responses.map((text) => ['response', text] as const),
      ...refusedResponses.map(([text]) => ['response', text] as const),
    ];
    for (const [kind, text] of cases) {
      const whole = parse(kind, text);
      for (let cut = 1; cut < text.length; cut++) {
        expect(parse(kind, text, [cut]), `${JSON.stringify(text)} cut at ${cut}`).toEqual(whole);
      }
      const everywhere = Array.from({ length: text.length - 1 }, (_, i) => i + 1);
      expect(parse(kind, text, everywhere), JSON.stringify(text)).toEqual(whole);
    }
  });

  it('gives the same result on mutated bytes however they are cut', () => {
    const bytes = fc.constantFrom(...'\r\n \t:,;0aG\x00\x7f\xe9'.split(''));
    const seed = fc.constantFrom(...accepted, ...refused.map(([text]) => text));
    fc.assert(
      fc.property(
        seed,
        fc.array(fc.tuple(fc.nat(), bytes, fc.boolean()), { maxLength: 3 }),
        fc.array(fc.nat(), { maxLength: 4 }),
        (text, changes, cuts) => {
          let mutated = text;
          for (const [at, byte, insert] of changes) {
            const i = at % mutated.length;
            mutated = mutated.slice(0, i) + byte + mutated.slice(insert ? i : i + 1);
          }
          const places = cuts.map((cut) => cut % mutated.length).sort((x, y) => x - y);
          expect(parse('request', mutated, places)).toEqual(parse('request', mutated));
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('frames bodies', () => {
    expect(responses.map((text) => parse('response', text))).toMatchObject([
      { body: 'ok', rest: 'HTTP', complete: true },
      { body: 'ok', rest: '', complete: true },
      { body: '', rest: 'HTTP', complete: true },
      { body: '', rest: 'HTTP', complete: true },
      { body: '', rest: 'HTTP/1.1 200 OK', complete: true },
      { body: 'until the end', rest: '', complete: false, persistent: false },
    ]);
  });

  it('limits the size of a head exactly, and the number of fields', () => {
    const start = `GET / HTTP/1.1\r\n${host}X: `;
    const fits = `${start}${'a'.repeat(HEAD_BYTES_MAX - start.length - 4)}\r\n\r\n`;
    const tooLong = fits.replace('X: ', 'X: a');
    expect(fits.length).toBe(HEAD_BYTES_MAX);
    for (const cuts of [[], [1], [8_000], [16_383], [1, 2, 3, 9_000]]) {
      expect(parse('request', fits, cuts).failure).toBeNull();
      expect(parse('request', tooLong, cuts).failure).toBe(failures.headTooLarge.reason);
    }
    const lines = (count: number) => `GET / HTTP/1.1\r\n${host}${'X: 1\r\n'.repeat(count - 1)}\r\n`;
    expect(parse('request', lines(100)).fields).toHaveLength(100);
    expect(parse('request', lines(101)).failure).toBe(failures.tooManyFields.reason);
  });

  it('limits chunk extensions and trailers', () => {
    const extension = `${coded}${`1;${'x'.repeat(1_000)}\r\na\r\n`.repeat(17)}`;
    expect(parse('request', extension).failure).toBe(failures.chunkExtension.reason);
    const trailers = `${coded}0\r\n${'T: 1\r\n'.repeat(3_000)}`;
    expect(parse('request', trailers).failure).toBe(failures.trailerTooLarge.reason);
  });
});

describe('against node:http', () => {
  let server: http.Server;
  let port = 0;

  beforeAll(async () => {
    server = http.createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { method, url, rawHeaders } = request;
        const body = Buffer.concat(chunks).toString('latin1');
        response.end(JSON.stringify({ method, url, rawHeaders, body }));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address !== null && typeof address === 'object') port = address.port;
  });

  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  /** node's answer to the bytes: its first status, and what it understood of a good request. */
  function ask(text: string): Promise<{ status: number; seen: unknown }> {
    return new Promise((resolve, reject) => {
      let answer = '';
      const socket = net.connect(port, '127.0.0.1', () => socket.end(text, 'latin1'));
      socket.setEncoding('utf8');
      socket.on('data', (chunk: string) => {
        answer += chunk;
      });
      socket.on('error', reject);
      socket.on('close', () => {
        const final = answer.replace(/^HTTP\/1.1 100 Continue\r\n\r\n/, '');
        const status = Number(final.slice(9, 12));
        const body = /^\{.*\}/m.exec(final)?.[0];
        resolve({ status, seen: body === undefined ? null : JSON.parse(body) });
      });
    });
  }

  it('reads what it accepts as node does', async () => {
    for (const text of accepted) {
      const mine = parse('request', text);
      const { status, seen } = await ask(text.slice(0, text.length - mine.rest.length));
      expect(status, JSON.stringify(text)).toBe(200);
      expect(seen).toEqual({
        method: mine.method,
        url: mine.target,
        rawHeaders: mine.fields.flat(),
        body: mine.body,
      });
    }
  });

  it('never accepts what node refuses, on mutated requests', async () => {
    const bytes = fc.constantFrom(...'\r\n \t:,;0aG\x00\x7f'.split(''));
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...accepted),
        fc.nat(),
        bytes,
        fc.boolean(),
        async (text, at, byte, insert) => {
          const i = at % text.length;
          const mutated = text.slice(0, i) + byte + text.slice(insert ? i : i + 1);
          const mine = parse('request', mutated);
          // What follows the message is another request, which node may refuse.
          if (!mine.complete || mine.rest !== '' || mine.method === 'CONNECT') return;
          // node refuses methods that it does not know and expectations other than 100-continue.
          if (!http.METHODS.includes(mine.method) || /Expect:/i.test(mutated)) return;
          const { status, seen } = await ask(mutated);
          expect(status, JSON.stringify(mutated)).toBe(200);
          expect(seen).toMatchObject({ method: mine.method, url: mine.target, body: mine.body });
        },
      ),
      { numRuns: 600 },
    );
  });
});
