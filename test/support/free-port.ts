/** A TCP port of 127.0.0.1 on which nobody listens. */
import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Asks the kernel for a port and gives it back at once. Another process could take it before
 * the caller does; the kernel hands out such ports in turn, so that this is rare, not
 * impossible. Where a program can listen on port 0 and say what it got, prefer that.
 */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') {
    throw new Error('a TCP server has an address with a port');
  }
  return address.port;
}
