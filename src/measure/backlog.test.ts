/** Connections that wait in a backlog at the strike: only the connector and the kernel know. */
import { expect, test } from 'vitest';
import { EventKind } from '../model/event.ts';
import type { Measured } from './strike.ts';
import { Script } from './test-support.ts';

/** Three connects, of which two wait in the backlog; one of those was given up meanwhile. */
function waiting(waitingRows: number): Measured {
  const script = new Script({ hops: ['clients', 'apigw'] });
  const wires = [0, 1, 2].map(() => script.at(0).connect('clients->apigw'));
  for (const [client, { connector, acceptor }] of wires.entries()) {
    script.at(10).sent(client, 1);
    script.begin(connector, { client, request: 1 });
    if (client === 0) script.begin(acceptor);
    else acceptor.open = false;
  }
  const [, , givenUp] = wires;
  if (givenUp !== undefined) {
    script.at(50).end(givenUp.connector, 1, 0, 'timeout');
    script.close(givenUp.connector, 'request_timeout', 0);
    script.done(2, 1, 'timeout');
  }
  const unseen = new Set(wires.slice(1).map(({ acceptor }) => acceptor.number));
  const isTold = ({ kind, end }: { kind: EventKind; end: number }): boolean =>
    kind !== EventKind.accepted || !unseen.has(end);
  script.events.splice(0, script.events.length, ...script.events.filter(isTold));
  script.at(100).strike();
  const kernel = (script.info.kernel ?? []).map((one) => ({ ...one, waitingRows }));
  script.info = { ...script.info, kernel };
  return script.measure().summary;
}

test('as many as the kernel has in the backlog are explained', () => {
  const summary = waiting(2);
  expect(summary.imbalances).toMatchObject([{ kind: 'not-accepted-yet', count: 2 }]);
  expect(summary.balanced).toBe(true);
});

test('one more than the kernel has is not', () => {
  const summary = waiting(1);
  expect(summary.imbalances.map(({ kind, count }) => [kind, count])).toEqual([
    ['not-accepted-yet', 1],
    ['one-ended', 1],
  ]);
  expect(summary.balanced).toBe(false);
});
