/**
 * The table of the framing tests: messages, what our relay makes of each, and why, wherever real
 * nginx or node:http (llhttp) makes something else of it. There are three kinds of reasons, and
 * every one but the second is a choice of ours to be stricter.
 */

/** Why a peer takes what we refuse, or refuses what we take. */
const reasons = {
  robust: 'RFC 9112 lets a recipient tolerate it; parsers that do not must never sit behind us',
  endpoint: 'a question for the last server, not for a relay: we pass it on',
  limit: 'a limit of ours: 16 KiB and 100 fields in a head',
  coding: 'a coding that we do not frame is 501 (RFC 9112 section 6.1), never guessed',
  version: 'only HTTP/1.0 and HTTP/1.1 are spoken here',
  target: 'RFC 9112 section 3.2: no fragment, no bytes beyond ASCII, no form that fits no method',
  host: 'RFC 9112 section 3.2: a request with a bad Host is 400, whoever it is for',
  nominated: 'Connection must not name a field that frames or routes (RFC 9110 section 7.6.1)',
  tunnel: 'it opens no tunnels: nginx knows no CONNECT, node closes for want of a listener',
  noHost: 'the foreign configuration passes on an empty Host as none, which its upstream refuses',
} as const;

type Reason = keyof typeof reasons;

export interface Case {
  readonly name: string;
  readonly text: string;
  /** The status that our relay refuses it with; 0 = it is passed on. */
  readonly refused: number;
  readonly nginx?: Reason;
  readonly node?: Reason;
}

const HOST = 'Host: a\r\n';
const coded = (body: string): string =>
  `POST /p HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n${body}`;
const post = (lines: string, body: string): string =>
  `POST /p HTTP/1.1\r\n${HOST}${lines}\r\n\r\n${body}`;
const get = (lines: string): string => `GET / HTTP/1.1\r\n${HOST}${lines}\r\n\r\n`;
const line = (start: string): string => `${start}\r\n${HOST}\r\n`;

type Peers = Pick<Case, 'nginx' | 'node'>;

const passed = (name: string, text: string, peers: Peers = {}): Case => ({
  name,
  text,
  refused: 0,
  ...peers,
});
const bad = (name: string, text: string, peers: Peers = {}, refused = 400): Case => ({
  name,
  text,
  refused,
  ...peers,
});

const both = (reason: Reason): Peers => ({ nginx: reason, node: reason });
const CHUNKED = 'Transfer-Encoding: chunked';

/** Messages that are what they should be, and such as look odd but are. */
const good: readonly Case[] = [
  passed('a request', get('X: 1')),
  passed('an empty line before it', `\r\n${get('X: 1')}`),
  passed('a target in absolute form', line('GET http://a/b HTTP/1.1')),
  passed('OPTIONS *', line('OPTIONS * HTTP/1.1'), { nginx: 'endpoint' }),
  passed('TRACE', line('TRACE / HTTP/1.1'), { nginx: 'endpoint' }),
  passed('a method nobody knows', line('BREW / HTTP/1.1'), { node: 'endpoint' }),
  passed('a method in lower case', line('get / HTTP/1.1'), both('endpoint')),
  passed('characters that URLs should not have', line('GET /a|{b} HTTP/1.1')),
  passed('a value beyond ASCII', get('X: caf\xe9')),
  passed('an empty Host', 'GET / HTTP/1.1\r\nHost:\r\n\r\n', { nginx: 'noHost' }),
  passed('HTTP/1.0', 'GET / HTTP/1.0\r\n\r\n'),
  passed('HTTP/1.0 with keep-alive', 'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n'),
  passed('a body by length', post('Content-Length: 5', 'hello')),
  passed('a length with leading zeros', post('Content-Length: 005', 'hello')),
  passed('an underscore in a name', post('Content_Length: 5\r\nContent-Length: 0', '')),
  passed('chunks', coded('5\r\nhello\r\n0\r\n\r\n')),
  passed('the coding in any case', post('transfer-encoding: ChUnKeD', '0\r\n\r\n')),
  passed('extensions', coded('5;a=b;c;d="\\"; e"\r\nhello\r\n0;last\r\n\r\n')),
  passed('trailers', coded('5\r\nhello\r\n0\r\nT: 1\r\nU:\r\n\r\n')),
  passed('Expect: 100-continue', post('Expect: 100-continue\r\nContent-Length: 1', 'x')),
  passed('another expectation', post('Expect: x\r\nContent-Length: 1', 'x'), { node: 'endpoint' }),
  passed('an upgrade', get('Upgrade: websocket\r\nConnection: upgrade')),
  passed('CONNECT', line('CONNECT a:443 HTTP/1.1'), both('tunnel')),
];

const lengths: readonly Case[] = [
  bad('length, then coding', post(`Content-Length: 5\r\n${CHUNKED}`, '0\r\n\r\n')),
  bad('coding, then length', post(`${CHUNKED}\r\nContent-Length: 5`, '0\r\n\r\n')),
  bad('length twice', post('Content-Length: 5\r\nContent-Length: 5', 'hello')),
  bad('two lengths', post('Content-Length: 5\r\nContent-Length: 6', 'hello')),
  ...[
    '5, 5',
    '+5',
    '-5',
    '0x5',
    '5 5',
    '',
    '5e0',
    '5.',
    '9'.repeat(20),
    '18446744073709551621',
  ].map((length) =>
    bad(`a length of ${JSON.stringify(length)}`, post(`Content-Length: ${length}`, 'hello')),
  ),
  bad('coding twice', post(`${CHUNKED}\r\n${CHUNKED}`, '0\r\n\r\n')),
  bad(
    'another coding first',
    post('Transfer-Encoding: gzip, chunked', '0\r\n\r\n'),
    { node: 'coding' },
    501,
  ),
  ...['identity', 'xchunked', 'chunked, identity', '"chunked"'].map((coding) =>
    bad(
      `a coding of ${JSON.stringify(coding)}`,
      post(`Transfer-Encoding: ${coding}`, '0\r\n\r\n'),
      {},
      501,
    ),
  ),
  bad('an empty coding', post('Transfer-Encoding:', '0\r\n\r\n'), { node: 'robust' }, 501),
  bad('a tab before the coding', post('Transfer-Encoding:\tchunked', '0\r\n\r\n'), {
    node: 'robust',
  }),
  bad('a vertical tab there', post('Transfer-Encoding: \x0bchunked', '0\r\n\r\n')),
  bad('a space before the colon', post('Transfer-Encoding : chunked', '0\r\n\r\n')),
  bad('the coding in a folded line', post('Transfer-Encoding:\r\n chunked', '0\r\n\r\n'), {}, 501),
  bad('coding in HTTP/1.0', `POST / HTTP/1.0\r\n${CHUNKED}\r\n\r\n0\r\n\r\n`, { node: 'robust' }),
  bad('CONNECT with a length', 'CONNECT a:1 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx'),
  bad(
    'Connection: content-length',
    get('Connection: content-length\r\nContent-Length: 0'),
    both('nominated'),
  ),
  bad('Connection: host', get('Connection: host'), both('nominated')),
];

const lines: readonly Case[] = [
  bad('a folded line', get('X: a\r\n b')),
  bad('a line folded with a tab', get('X: a\r\n\tb')),
  bad('the first line folded', 'GET / HTTP/1.1\r\n Host: a\r\n\r\n'),
  bad('LF after the request line', `GET / HTTP/1.1\n${HOST}\r\n`, { nginx: 'robust' }),
  bad('LF after a field', 'GET / HTTP/1.1\r\nHost: a\n\r\n', { nginx: 'robust' }),
  bad('LF as the empty line', `GET / HTTP/1.1\r\n${HOST}\n`, { nginx: 'robust' }),
  bad('LF everywhere', 'GET / HTTP/1.1\nHost: a\n\n', { nginx: 'robust' }),
  bad('LF in a value', get('X: a\nY: b'), { nginx: 'robust' }),
  bad('LF before the request', `\n${get('X: 1')}`, both('robust')),
  bad('two empty lines before it', `\r\n\r\n${get('X: 1')}`, both('robust')),
  bad('CR in a value', get('X: a\rb')),
  bad('CR CR LF', get('X: a\r'), { nginx: 'robust' }),
  bad('a space before a colon', get('X : a')),
  bad('a space before the colon of Host', 'GET / HTTP/1.1\r\nHost : a\r\n\r\n'),
  bad('a tab before a colon', get('X\t: a')),
  bad('no name', get(': a')),
  bad('no colon', get('abc'), { nginx: 'robust' }),
  bad('a space in a name', get('X Y: a')),
  bad('NUL in a name', get('X\x00: a')),
  bad('NUL in a value', get('X: a\x00b')),
  bad('NUL in the target', line('GET /\x00 HTTP/1.1')),
  bad('a control character', get('X: a\x01b'), { nginx: 'endpoint' }),
  bad('DEL in a value', get('X: a\x7fb'), { nginx: 'endpoint' }),
  bad('two spaces after the method', line('GET  / HTTP/1.1'), both('robust')),
  bad('a tab after the method', line('GET\t/ HTTP/1.1')),
  bad('a space after the version', line('GET / HTTP/1.1 '), { nginx: 'robust' }),
  bad('a space before the method', line(' GET / HTTP/1.1')),
  bad('punctuation in a method', line('G(T / HTTP/1.1')),
  bad('a target without a slash', line('GET a HTTP/1.1')),
  bad('GET *', line('GET * HTTP/1.1'), { node: 'target' }),
  bad('a fragment', line('GET /a#b HTTP/1.1'), both('target')),
  bad('a target beyond ASCII', line('GET /\xe9 HTTP/1.1'), { nginx: 'target' }),
  bad('HTTP/0.9', 'GET /\r\n', { nginx: 'version' }),
  bad('the version in lower case', line('GET / http/1.1')),
  bad('HTTP/1.2', line('GET / HTTP/1.2'), { nginx: 'version' }, 505),
  bad('HTTP/2.0', line('GET / HTTP/2.0'), { node: 'version' }, 505),
  bad('HTTP/0.9 with a version', line('GET / HTTP/0.9'), { node: 'version' }, 505),
  bad('no Host', 'GET / HTTP/1.1\r\n\r\n'),
  bad('Host twice', get('Host: a'), { node: 'host' }),
  bad('a list as Host', 'GET / HTTP/1.1\r\nHost: a, b\r\n\r\n', { node: 'host' }),
  bad('a path in Host', 'GET / HTTP/1.1\r\nHost: a/b\r\n\r\n', { node: 'host' }),
  bad('a user in Host', 'GET / HTTP/1.1\r\nHost: a@b\r\n\r\n', both('host')),
  bad('CONNECT without a port', line('CONNECT a HTTP/1.1')),
  bad('a head of 17 KiB', get(`X: ${'x'.repeat(17_000)}`), {}, 431),
  bad('101 fields', get('X: 1\r\n'.repeat(100).trimEnd()), both('limit'), 431),
  bad('a target of 20 KiB', line(`GET /${'x'.repeat(20_000)} HTTP/1.1`), {}, 431),
  bad('HTTP/2 with prior knowledge', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  bad('TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'),
];

const chunks: readonly Case[] = [
  ...['', ' 5', '-5', '+5', '0x5', '0_5', '5_', 'g', 'f'.repeat(17), '10000000000000005'].map(
    (size) =>
      bad(`a chunk of size ${JSON.stringify(size)}`, coded(`${size}\r\nhello\r\n0\r\n\r\n`)),
  ),
  bad('a space after a size', coded('5 \r\nhello\r\n0\r\n\r\n'), { nginx: 'robust' }),
  bad('LF after a size', coded('5\nhello\r\n0\r\n\r\n'), { nginx: 'robust' }),
  bad('LF after the data', coded('5\r\nhello\n0\r\n\r\n'), { nginx: 'robust' }),
  bad('more data than its size', coded('4\r\nhello\r\n0\r\n\r\n')),
  bad('no line end after the data', coded('5\r\nhello0\r\n\r\n')),
  bad('LF after an extension', coded('5;a\nhello\r\n0\r\n\r\n'), { nginx: 'robust' }),
  bad('NUL in an extension', coded('5;a\x00\r\nhello\r\n0\r\n\r\n'), { nginx: 'robust' }),
  bad('CR in an extension', coded('5;a\rb\r\nhello\r\n0\r\n\r\n')),
  bad('a space before an extension', coded('5 ;a\r\nhello\r\n0\r\n\r\n'), { nginx: 'robust' }),
  bad('a space within an extension', coded('5; a=b\r\nhello\r\n0\r\n\r\n'), { nginx: 'robust' }),
  bad('an empty extension', coded('5;\r\nhello\r\n0\r\n\r\n'), { nginx: 'robust' }),
  bad('LF after the last size', coded('0\n\r\n'), { nginx: 'robust' }),
  bad('LF at the end', coded('0\r\n\n'), { nginx: 'robust' }),
  bad('a trailer without a colon', coded('0\r\nbad trailer\r\n\r\n'), { nginx: 'robust' }),
  bad('LF after a trailer', coded('0\r\nT: 1\n\r\n'), { nginx: 'robust' }),
  bad('a folded trailer', coded('0\r\nT: 1\r\n 2\r\n\r\n'), { nginx: 'robust' }),
  bad('a trailer that is a length', coded('0\r\nContent-Length: 5\r\n\r\n'), { nginx: 'robust' }),
  bad('a trailer that is a coding', coded(`0\r\n${CHUNKED}\r\n\r\n`), { nginx: 'robust' }),
];

export const cases: readonly Case[] = [...good, ...lengths, ...lines, ...chunks];

/** Behind every case, to see where the peers think that it ends, and to end the connection. */
export const LAST = 'GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
