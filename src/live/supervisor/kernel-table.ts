/**
 * The kernel's own list of TCP connections (`/proc/net/tcp`, proc(5)), counted per link: the
 * independent witness of the books. Only rows of our own listening ports count; LISTEN rows,
 * TIME_WAIT, and connections still in their handshake are left out.
 */
import { readFile } from 'node:fs/promises';
import type { Endpoint, KernelCount, Link } from '../../model/run.ts';

/** States in /proc/net/tcp (include/net/tcp_states.h). */
const NOT_OPEN = new Set(['02', '03', '06', '07', '0A', '0C']);

/** Null where the kernel offers no such table. */
export async function countKernelRows(
  links: readonly Link[],
  endpoints: readonly Endpoint[],
): Promise<KernelCount[] | null> {
  const linkOfPort = new Map(endpoints.map((one) => [one.port, one.link]));
  const acceptor = new Map<number, number>();
  const connector = new Map<number, number>();
  for (const file of ['/proc/net/tcp', '/proc/net/tcp6']) {
    const text = await readFile(file, 'latin1').catch(() => null);
    if (text === null) {
      if (file === '/proc/net/tcp') return null;
      continue;
    }
    for (const row of text.split('\n').slice(1)) {
      const [, local, remote, state, , , , , , inode] = row.trim().split(/\s+/);
      if (local === undefined || remote === undefined || state === undefined) continue;
      if (NOT_OPEN.has(state) || inode === '0') continue;
      count(acceptor, linkOfPort.get(portOf(local)));
      count(connector, linkOfPort.get(portOf(remote)));
    }
  }
  return links.map((link) => ({
    link: link.name,
    acceptorRows: acceptor.get(link.index) ?? 0,
    connectorRows: connector.get(link.index) ?? 0,
  }));
}

function portOf(address: string): number {
  return Number.parseInt(address.slice(address.lastIndexOf(':') + 1), 16);
}

function count(counts: Map<number, number>, link: number | undefined): void {
  if (link !== undefined) counts.set(link, (counts.get(link) ?? 0) + 1);
}
