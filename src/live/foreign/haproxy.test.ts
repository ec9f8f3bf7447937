/** Real HAProxy as a connection queue: the peer that hoards slots as the incident's queue did. */
import net from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { until } from '../test-support.ts';
import { startHaproxy } from './haproxy.ts';
import { missing } from './test-plan.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

const why = missing('haproxy');

describe.skipIf(why !== null)(`HAProxy ${why === null ? '' : `(skipped: ${why})`}`, () => {
  it('gives its server only so many connections; the others wait until one is closed', async () => {
    const echo = net.createServer((socket) => {
      // HAProxy resets what its client has left.
      socket.on('error', () => {});
      socket.pipe(socket);
    });
    await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
    cleanups.push(() => echo.close());
    const bound = echo.address();
    if (bound === null || typeof bound === 'string') throw new Error('no port');
    const haproxy = await startHaproxy({
      server: { address: '127.0.0.1', port: bound.port },
      connectionsMax: 2,
      timeoutSeconds: 30,
    });
    cleanups.push(() => haproxy.stop());
    const answered = new Set<number>();
    const sockets = Array.from({ length: 5 }, (_none, index) => {
      const socket = net.connect(haproxy.port, '127.0.0.1', () => socket.write('x'));
      socket.on('data', () => answered.add(index));
      cleanups.push(() => socket.destroy());
      return socket;
    });
    await until('two are served', () => answered.size === 2);
    const [first] = answered;
    sockets[first ?? 0]?.destroy();
    await until('a third is served', () => answered.size === 3);
    expect(answered.size).toBe(3);
  });
});
