/**
 * HTTP/1.1 framing by a fuzzer: valid messages, cut and spliced with what confuses parsers, sent
 * in pieces. Two promises: what our relay takes for requests is what reaches the upstream, no
 * more and no less; and what it takes, node:http and real nginx take too, for the same requests.
 * The same for responses, against node's client. A relay that crashed would fail every case
 * after it.
 *
 * WATERHAMMER_FUZZ_SEED=n tries other cases; a failure prints the shrunken one.
 */
import http from 'node:http';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { request } from '../../src/live/test-http.case.ts';
import { startRecorder } from '../../src/live/test-wire.case.ts';
import { requireProgram } from '../support/skips.ts';
import {
  exchange,
  type Front,
  finals,
  type Reading,
  readAll,
  responseEnd,
  startNode,
  startOurs,
  startOursAt,
  startReal,
} from './framing-fronts.ts';

const SEED = Number(process.env.WATERHAMMER_FUZZ_SEED ?? 1);

const HOST = 'Host: a\r\n';
const validRequests = [
  `GET /1 HTTP/1.1\r\n${HOST}\r\n`,
  `GET /2 HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`,
  `HEAD /3 HTTP/1.1\r\n${HOST}X: a \r\n\r\n`,
  `POST /4 HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\r\nhello`,
  `POST /5 HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
  `PUT /6 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n${HOST}\r\n` +
    '3;a="b"\r\nabc\r\n2\r\nde\r\n0\r\nT: 1\r\n\r\n',
  `POST /7 HTTP/1.1\r\n${HOST}Expect: 100-continue\r\nContent-Length: 1\r\n\r\nx`,
  `GET /8 HTTP/1.1\r\n${HOST}Upgrade: websocket\r\nConnection: upgrade\r\n\r\n`,
  'GET /9 HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n',
];
const validResponses = [
  'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
  'HTTP/1.1 201 X\r\nTransfer-Encoding: chunked\r\n\r\n2;a\r\nhe\r\n3\r\nllo\r\n0\r\nT: 1\r\n\r\n',
  'HTTP/1.1 204 No Content\r\nX: 1\r\n\r\n',
  'HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n',
  'HTTP/1.0 200 OK\r\n\r\nuntil the end',
  'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
];
/** What to put into them. */
const splices = [
  ...'\r\n \t:;,0-+"\x00\x7f\xe9\x0b'.split(''),
  '\r\n',
  '\r\n ',
  '\r\n\r\n',
  '0\r\n\r\n',
  'chunked',
  ', chunked',
  'Transfer-Encoding: chunked\r\n',
  'Transfer-Encoding: identity\r\n',
  'Content-Length: 3\r\n',
  'Content-Length: 0\r\n',
  'Connection: close\r\n',
  'Connection: keep-alive\r\n',
  `GET /x HTTP/1.1\r\n${HOST}\r\n`,
  ' HTTP/1.1',
  'HTTP/1.0',
  '5\r\nhello\r\n',
];

interface Change {
  readonly at: number;
  /** At the start of a line or at its end, where most of what matters stands. */
  readonly edge: 'start' | 'end' | 'none';
  readonly cut: number;
  readonly put: string;
}

const changes = fc.array(
  fc.record<Change>({
    at: fc.nat({ max: 400 }),
    edge: fc.constantFrom('start', 'end', 'none'),
    cut: fc.constantFrom(0, 0, 0, 1, 2, 3),
    put: fc.constantFrom('', ...splices),
  }),
  { maxLength: 3 },
);

function changed(text: string, list: readonly Change[]): string {
  return list.reduce((sofar, { at, edge, cut, put }) => {
    const ends = [...sofar.matchAll(/\r\n/g)].map(({ index }) => index);
    const place =
      edge === 'none' || ends.length === 0
        ? at % (sofar.length + 1)
        : (ends[at % ends.length] ?? 0) + (edge === 'start' ? 2 : 0);
    return sofar.slice(0, place) + put + sofar.slice(place + cut);
  }, text);
}

function pieces(text: string, cuts: readonly number[]): string[] {
  const places = [0, ...cuts.map((cut) => cut % (text.length + 1)), text.length];
  places.sort((x, y) => x - y);
  return places.slice(1).map((to, index) => text.slice(places[index], to));
}

const requests = fc
  .tuple(fc.array(fc.constantFrom(...validRequests), { minLength: 1, maxLength: 3 }), changes)
  .map(([list, made]) => changed(list.join(''), made))
  .filter((text) => text !== '');
const cuts = fc.array(fc.nat({ max: 600 }), { maxLength: 6 });

/** Node, wherever it is the upstream, refuses methods and expectations that it does not know. */
const plain = ({ requests: list }: Reading, text: string): boolean =>
  list.every(({ method }) => http.METHODS.includes(method) && method !== 'CONNECT') &&
  !/expect/i.test(text);

async function ask(front: Front, text: string, cutAt: readonly number[], reading: Reading) {
  front.seen.length = 0;
  const answers = reading.requests.length + (reading.refused > 0 ? 1 : 0);
  const until = reading.refused > 0 && front.name === 'ours' ? 'the end' : answers;
  return exchange(front.port, pieces(text, cutAt), until);
}

describe('requests', () => {
  let ours: Front;
  let node: Front;
  beforeAll(async () => {
    ours = await startOurs();
    node = await startNode();
  });
  afterAll(async () => {
    await ours.stop();
    await node.stop();
  });

  it('reach the upstream as our relay took them, in whatever pieces they came', async () => {
    await fc.assert(
      fc.asyncProperty(requests, cuts, async (text, cutAt) => {
        const reading = readAll(text);
        const got = await ask(ours, text, cutAt, reading);
        const refusals = reading.refused > 0 ? [reading.refused] : [];
        if (!plain(reading, text)) {
          expect(reading.requests).toEqual(expect.arrayContaining(ours.seen));
          return;
        }
        expect(ours.seen).toEqual(reading.requests);
        expect(finals(got.statuses)).toBe(reading.requests.length + refusals.length);
        expect(got.statuses.slice(got.statuses.length - refusals.length)).toEqual(refusals);
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  it('that our relay takes are the same to node:http', async () => {
    await fc.assert(
      fc.asyncProperty(requests, async (text) => {
        const reading = readAll(text);
        const [first] = reading.requests;
        if (first === undefined || !plain(reading, text)) return;
        await ask(node, text.slice(0, reading.firstEnd), [], {
          ...reading,
          requests: [first],
          refused: 0,
        });
        expect(node.seen).toEqual([first]);
      }),
      { seed: SEED, numRuns: 300 },
    );
  });

  it('that our relay takes are the same to nginx', async (context) => {
    requireProgram('nginx', context);
    const nginx = await startReal();
    try {
      await fc.assert(
        fc.asyncProperty(requests, async (text) => {
          const reading = readAll(text);
          const [first] = reading.requests;
          if (first === undefined || !plain(reading, text)) return;
          const message = text.slice(0, reading.firstEnd);
          // Without a Host nginx passes none on, and `*` it does not know (framing-cases.ts).
          if (!/\nHost:[ \t]*a/i.test(message) || first.target === '*') return;
          await ask(nginx, message, [], { ...reading, requests: [first], refused: 0 });
          expect(nginx.seen).toEqual([first]);
        }),
        { seed: SEED, numRuns: 300 },
      );
    } finally {
      await nginx.stop();
    }
  });
});

describe('responses', () => {
  const responses = fc
    .tuple(fc.constantFrom(...validResponses), changes)
    .map(([text, made]) => changed(text, made));

  it('that our relay passes on are what node:http takes them for', async () => {
    let response = '';
    let cutAt: readonly number[] = [];
    const far = await startRecorder((wire) => {
      if (!wire.received.endsWith('\r\n\r\n')) return;
      wire.received = '';
      void wire.sendPieces(pieces(response, cutAt)).then(() => wire.socket.end());
    });
    const ours = await startOursAt(far.endpoint);
    const told = (port: number) =>
      request(port, { agent: false }).then(
        ({ status, body }) => ({ status, body: body.toString('latin1') }),
        () => null,
      );
    try {
      await fc.assert(
        fc.asyncProperty(responses, cuts, async (text, places) => {
          response = text;
          cutAt = places;
          const through = await told(ours.port);
          if (through === null || through.status === 502) return;
          const direct = await told(far.port);
          // What stands behind a response node's client counts against it; we cut it off.
          if (direct === null && responseEnd(text) < text.length) return;
          expect(through).toEqual(direct);
        }),
        { seed: SEED, numRuns: 300 },
      );
    } finally {
      await ours.stop();
      await far.close();
    }
  });
});
