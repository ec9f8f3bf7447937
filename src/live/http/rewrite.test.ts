import { describe, expect, it } from 'vitest';
import { HeadParser } from './head-parser.ts';
import type { MessageKind } from './message-head.ts';
import { PLAIN_REWRITE, type Rewrite, rewriteHead } from './rewrite.ts';
import { decodeTraceparent, encodeTraceparent, TRACEPARENT_LENGTH } from './trace-context.ts';

function rewritten(kind: MessageKind, text: string, rewrite: Rewrite = PLAIN_REWRITE): string {
  const bytes = Buffer.from(text, 'latin1');
  const parser = new HeadParser(kind);
  const at = parser.feed(bytes, 0, bytes.length);
  expect(parser.failure).toBeNull();
  expect(parser.done).toBe(true);
  return rewriteHead(parser.head, rewrite, bytes, at, bytes.length).toString('latin1');
}

describe('head rewriting', () => {
  it('passes a head without hop-by-hop fields on byte for byte, with its body', () => {
    const text = 'POST /a HTTP/1.1\r\nhOSt:  a \r\nContent-Length: 2\r\nX:\r\nX: \xe9\r\n\r\nok';
    expect(rewritten('request', text)).toBe(text);
  });

  it('drops hop-by-hop fields and those that Connection names, wherever they stand', () => {
    const text = [
      'GET / HTTP/1.1',
      'Connection: keep-alive, x-private',
      'Host: a',
      'Keep-Alive: timeout=5',
      'TE: trailers',
      'X-Private: 1',
      'Trailer: T',
      'Proxy-Authorization: x',
      'Upgrade: h2c',
      'Proxy-Connection: close',
      '\r\n',
    ].join('\r\n');
    expect(rewritten('request', text)).toBe('GET / HTTP/1.1\r\nHost: a\r\nTrailer: T\r\n\r\n');
    const added: Rewrite = { ...PLAIN_REWRITE, added: 'Connection: close\r\n' };
    expect(rewritten('request', text, added)).toBe(
      'GET / HTTP/1.1\r\nHost: a\r\nTrailer: T\r\nConnection: close\r\n\r\n',
    );
  });

  it('sends its own version, and no ignored empty line', () => {
    expect(rewritten('request', '\r\nGET / HTTP/1.0\r\nA: b\r\n\r\n')).toBe(
      'GET / HTTP/1.1\r\nA: b\r\n\r\n',
    );
    expect(rewritten('response', 'HTTP/1.0 200 OK\r\n\r\nbody')).toBe(
      'HTTP/1.1 200 OK\r\n\r\nbody',
    );
  });

  it('replaces traceparent and takes the coding away when asked', () => {
    const text =
      'GET / HTTP/1.1\r\nHost: a\r\nTraceparent: x\r\nTransfer-Encoding: chunked\r\n\r\n';
    expect(rewritten('request', text)).toBe(text);
    const rewrite: Rewrite = {
      ...PLAIN_REWRITE,
      added: 'traceparent: y\r\n',
      withoutFraming: true,
      withoutTraceparent: true,
    };
    expect(rewritten('request', text, rewrite)).toBe(
      'GET / HTTP/1.1\r\nHost: a\r\ntraceparent: y\r\n\r\n',
    );
  });
});

describe('trace context', () => {
  it('carries process, end and exchange', () => {
    for (const origin of [
      { process: 0, end: 1, exchange: 1 },
      { process: 65_535, end: 2 ** 32 - 1, exchange: 2 ** 32 - 1 },
      { process: 3, end: 70_000, exchange: 76 },
    ]) {
      const value = encodeTraceparent(origin.process, origin.end, origin.exchange);
      expect(value).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
      expect(value).toHaveLength(TRACEPARENT_LENGTH);
      expect(decodeTraceparent(value)).toEqual(origin);
    }
  });

  it('does not take foreign values for its own', () => {
    const own = encodeTraceparent(1, 2, 3);
    for (const value of [
      '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
      own.toUpperCase(),
      own.replace(/^00/, '01'),
      own.slice(0, -1),
      // A foreign tracer that kept the trace id and set its own parent id.
      `${own.slice(0, 36)}00f067aa0ba902b7-01`,
      '',
    ]) {
      expect(decodeTraceparent(value)).toBeNull();
    }
  });
});
