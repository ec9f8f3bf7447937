/** The rules are checked by the tests of `KeepAlive`: this machine with one server. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { KeepAlive, type KeepAlivePort } from './keep-alive.ts';
import {
  KEEP_ALIVE_WORDS,
  type KeepAliveSettings,
  KeepAlives,
  type KeepAlivesPort,
} from './keep-alives.ts';
import { checkManyInOne } from './many-in-one.case.ts';
import { Rows } from './rows.ts';

it('is to each of many servers what a machine of its own would be', () => {
  checkManyInOne<KeepAliveSettings>({
    policyClass: KeepAlive,
    closed: 'closed',
    settings: fc.record({
      keepAliveTimeout: fc.constantFrom(0, 20, 50),
      keepAliveRequests: fc.nat(3),
      keepAliveTime: fc.constantFrom(0, 100),
    }),
    words: KEEP_ALIVE_WORDS,
    many: (port, connections, column) =>
      new KeepAlives(port as KeepAlivesPort, connections, column),
    one: (settings, port) => new KeepAlive(settings, port as KeepAlivePort),
  });
});

it('knows how many of a server wait for a request', () => {
  const port = { lastRequest: () => {}, close: () => {}, wakeAt: () => {} };
  const servers = new KeepAlives(port, new Rows(KEEP_ALIVE_WORDS), 0);
  const settings = { keepAliveTimeout: 0, keepAliveRequests: 0, keepAliveTime: 0 };
  const [first, second] = [servers.add(settings), servers.add(settings)];
  for (const connection of [0, 1, 2]) servers.opened(first, 0, connection);
  servers.opened(second, 0, 3);
  servers.requestStarted(first, 1, 1);
  expect([servers.idle(first), servers.idle(second)]).toEqual([2, 1]);
});
