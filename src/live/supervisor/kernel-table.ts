/**
 * The kernel's own list of TCP connections (`/proc/net/tcp`, proc(5)), counted per link: the
 * independent witness of the books. Only rows of our own listening ports count; LISTEN rows,
 * TIME_WAIT, and connections still in their handshake are left out.
 */
import { readFile } from 'node:fs/promises';
import type { Endpoint, KernelCount, Link } from '../../model/run.ts';

/** States in /proc/net/tcp (include/net/tcp_states.h). */
const NOT_OPEN = new Set(['02', '03', '06', '07', '0A', '0C']);

const ESTABLISHED = '01';

export interface KernelView {
  readonly counts: readonly KernelCount[];
  /** Two equal ones mean that no connection of ours and no byte on one has moved meanwhile. */
  readonly signature: string;
  /**
   * Connections that wait to be accepted, or whose bytes a foreign server has yet to read: it
   * books no events, so that its silence means nothing.
   */
  readonly unsettled: number;
}

/** Null where the kernel offers no such table. `foreign`: links that a foreign server accepts. */
export async function readKernelTable(
  links: readonly Link[],
  endpoints: readonly Endpoint[],
  foreign: ReadonlySet<number>,
): Promise<KernelView | null> {
  const linkOfPort = new Map(endpoints.map((one) => [one.port, one.link]));
  const acceptor = new Map<number, number>();
  const connector = new Map<number, number>();
  const seen: string[] = [];
  let unsettled = 0;
  for (const file of ['/proc/net/tcp', '/proc/net/tcp6']) {
    const text = await readFile(file, 'latin1').catch(() => null);
    if (text === null) {
      if (file === '/proc/net/tcp') return null;
      continue;
    }
    for (const row of text.split('\n').slice(1)) {
      const [, local, remote, state, queues, , , , , inode] = row.trim().split(/\s+/);
      if (local === undefined || remote === undefined || state === undefined) continue;
      const accepts = linkOfPort.get(portOf(local));
      const connects = linkOfPort.get(portOf(remote));
      if (NOT_OPEN.has(state) || (accepts === undefined && connects === undefined)) continue;
      seen.push(`${local} ${remote} ${state} ${queues} ${inode}`);
      const mayWait = state === ESTABLISHED && accepts !== undefined;
      const unread = foreign.has(accepts ?? -1) && !queues?.endsWith(':00000000');
      if (mayWait && (inode === '0' || unread)) unsettled += 1;
      if (inode === '0') continue;
      count(acceptor, accepts);
      count(connector, connects);
    }
  }
  const counts = links.map((link) => ({
    link: link.name,
    acceptorRows: acceptor.get(link.index) ?? 0,
    connectorRows: connector.get(link.index) ?? 0,
  }));
  return { counts, signature: seen.sort().join('\n'), unsettled };
}

function portOf(address: string): number {
  return Number.parseInt(address.slice(address.lastIndexOf(':') + 1), 16);
}

function count(counts: Map<number, number>, link: number | undefined): void {
  if (link !== undefined) counts.set(link, (counts.get(link) ?? 0) + 1);
}
