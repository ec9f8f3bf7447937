/** A tunnel through the whole chain: a slot of the connection queue, held for the tunnel's life. */
import { afterEach, expect, it } from 'vitest';
import { endsOf } from '../../src/live/test-http.case.ts';
import { until } from '../../src/live/test-support.ts';
import { dial, type Recorder, startRecorder } from '../../src/live/test-wire.case.ts';
import { EventKind, SlotState } from '../../src/model/event.ts';
import { type Chain, startChain } from './framing-chain.ts';

const OFFER = 'GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n';
const CONNECT = 'CONNECT far.example:443 HTTP/1.1\r\nHost: far.example:443\r\n\r\n';
const PLAIN = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const SWITCHED =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n';

let chain: Chain;
let far: Recorder;
afterEach(async () => {
  await chain.stop();
  await far.close();
});

it.each([
  ['an upgrade', OFFER, SWITCHED, 101],
  ['CONNECT', CONNECT, 'HTTP/1.1 200 OK\r\n\r\n', 200],
])('%s holds its slot until it ends; who waits behind it is served then', async (...one) => {
  const [, request, accepted, status] = one;
  far = await startRecorder((wire) => {
    if (wire.received.startsWith('GET / ')) wire.send(OK);
    else if (wire.received.endsWith('\r\n\r\n')) wire.send(accepted);
    else wire.send(`<${wire.received.slice(-4)}>`);
  });
  chain = await startChain(far.port, ['queue.activeMax=1', 'apigw.nodes=1']);
  const { queue } = chain;

  const tunnel = await dial(chain.port, request);
  await until('the switch', () => tunnel.received === accepted);
  const waiting = await dial(chain.port, PLAIN);
  await until('the other is held', () => queue.counters.held === 1);
  for (const word of ['ping', 'pong']) {
    tunnel.send(word);
    await until(`an echo of ${word}`, () => tunnel.received.endsWith(`<${word}>`));
  }
  expect(waiting.received).toBe('');
  expect([queue.counters.active, queue.counters.held]).toEqual([1, 1]);
  // Every HTTP hop counts it as an exchange in flight.
  const ended = chain.hops.flatMap((hop) =>
    hop.events().filter(({ kind }) => kind === EventKind.exchangeEnded),
  );
  expect(ended).toEqual([]);

  tunnel.socket.end();
  await until('the far end’s FIN', () => far.wires[0]?.ended === true);
  expect(waiting.received).toBe('');
  far.wires[0]?.socket.end();
  await until('the other’s answer', () => waiting.received === OK);
  await until('the tunnel’s end', () => tunnel.closed);
  waiting.socket.destroy();
  await chain.stop();

  const [first] = endsOf(queue.events(), EventKind.accepted);
  const slots = queue.events().filter(({ kind, end }) => kind === EventKind.slot && end === first);
  expect(slots.map(({ a }) => a).at(-1)).toBe(SlotState.active);
  for (const hop of chain.hops) {
    const statuses = hop
      .events()
      .filter(({ kind }) => kind === EventKind.exchangeEnded)
      .map(({ a }) => a);
    const isL4 = hop === queue || hop === chain.hops[2];
    expect(statuses.sort()).toEqual(isL4 ? [] : [status, status, 200, 200].sort());
  }
});
