/** The rules are checked by the tests of `ConnectionQueue`: this machine with one queue. */
import { expect, it } from 'vitest';
import { ConnectionQueue, type ConnectionQueuePort } from './connection-queue.ts';
import {
  type ConnectionQueueSettings,
  ConnectionQueues,
  type ConnectionQueuesPort,
  QUEUE_WORDS,
} from './connection-queues.ts';
import { checkManyInOne } from './many-in-one.case.ts';
import { settingsOf } from './queue-world.case.ts';

it('is to each of many queues what a machine of its own would be', () => {
  checkManyInOne<ConnectionQueueSettings>({
    policyClass: ConnectionQueue,
    closed: 'peerClosed',
    settings: settingsOf,
    words: QUEUE_WORDS,
    many: (port, connections, column) =>
      new ConnectionQueues(port as ConnectionQueuesPort, connections, column),
    one: (settings, port) => new ConnectionQueue(settings, port as ConnectionQueuePort),
  });
});

it('throws for a connection that is opened twice', () => {
  const port = {
    grant: () => {},
    yield: () => {},
    hold: () => {},
    close: () => {},
    wakeAt: () => {},
  };
  const queue = new ConnectionQueue(
    {
      activeMax: 1,
      heldMax: 1,
      heldTimeout: 0,
      order: 'fifo',
      reclaim: 'none',
      reclaimAfter: 0,
      whileHeld: 'unread',
    },
    port,
  );
  queue.opened(0, 4);
  expect(() => queue.opened(1, 4)).toThrow('open already');
});
