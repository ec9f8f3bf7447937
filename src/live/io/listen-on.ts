/** Where a listener is to be, and node's servers put there. */
import type net from 'node:net';
import type { Place } from './listening.ts';

/** As many as Linux grants by default (net.core.somaxconn); for listeners that are no hop's. */
const LISTEN_BACKLOG = 4_096;

/** @param listen `address:port`, or null for any free port of 127.0.0.1 */
export function placeOf(listen: string | null): Place {
  const colon = listen?.lastIndexOf(':') ?? -1;
  if (listen === null) return { address: '127.0.0.1', port: 0 };
  return { address: listen.slice(0, colon), port: Number(listen.slice(colon + 1)) };
}

/** Listens on `address:port` or any free loopback port; for node:http servers too. */
export function listenOn(
  server: net.Server,
  listen: string | null,
  backlog = LISTEN_BACKLOG,
): Promise<Place> {
  const { address: host, port } = placeOf(listen);
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, backlog }, () => {
      server.off('error', reject);
      const bound = server.address();
      if (bound === null || typeof bound === 'string') reject(new Error('not a TCP listener'));
      else resolve({ address: bound.address, port: bound.port });
    });
  });
}
