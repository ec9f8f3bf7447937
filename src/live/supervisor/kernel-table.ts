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
const CLOSE_WAIT = '08';

export interface KernelView {
  readonly counts: readonly KernelCount[];
  /** Two equal ones mean that no connection of ours and no byte on one has moved meanwhile. */
  readonly signature: string;
  /**
   * Connections that wait to be accepted, or whose bytes a foreign server has yet to read: it
   * books no events, so that its silence means nothing.
   */
  readonly unsettled: number;
  /** Names of the rows that were counted, by link and side, each with its link. */
  readonly counted: ReadonlyMap<string, number>;
}

/** Rows by link that only one of two views has. */
export function movedRows(before: KernelView, after: KernelView): Map<number, number> {
  const moved = new Map<number, number>();
  for (const [one, other] of [
    [before.counted, after.counted],
    [after.counted, before.counted],
  ] as const) {
    for (const [name, link] of one) if (!other.has(name)) count(moved, link);
  }
  return moved;
}

/** Null where the kernel offers no such table. `foreign`: links that a foreign server accepts. */
export async function readKernelTable(
  links: readonly Link[],
  endpoints: readonly Endpoint[],
  foreign: ReadonlySet<number>,
): Promise<KernelView | null> {
  const linkOfPort = new Map(endpoints.map((one) => [one.port, one.link]));
  const rows = new Map<string, Row>();
  // The kernel walks its table in pieces: while others come and go, a row may be told twice or
  // not at all. Two readings together have each of ours once, because ours stand still.
  for (let reading = 0; reading < 2; reading++) {
    if (!(await readRows(linkOfPort, rows))) return null;
  }
  const acceptor = new Map<number, number>();
  const connector = new Map<number, number>();
  const waiting = new Map<number, number>();
  const counted = new Map<string, number>();
  let unsettled = 0;
  for (const [name, { accepts, connects, state, queues, inode }] of rows) {
    const unread = foreign.has(accepts ?? -1) && !queues.endsWith(':00000000');
    if (accepts !== undefined && state === ESTABLISHED && (inode === '0' || unread)) unsettled += 1;
    // Without a socket, yet not closing: in the backlog of its listener.
    if (inode === '0' && (state === ESTABLISHED || state === CLOSE_WAIT)) count(waiting, accepts);
    if (inode === '0') continue;
    count(acceptor, accepts);
    count(connector, connects);
    if (accepts !== undefined) counted.set(`accepted ${name}`, accepts);
    if (connects !== undefined) counted.set(`connected ${name}`, connects);
  }
  const counts = links.map((link) => ({
    link: link.name,
    acceptorRows: acceptor.get(link.index) ?? 0,
    connectorRows: connector.get(link.index) ?? 0,
    waitingRows: waiting.get(link.index) ?? 0,
    movedRows: 0,
  }));
  const texts = [...rows].map(([key, row]) => `${key} ${row.state} ${row.queues} ${row.inode}`);
  return { counts, signature: texts.sort().join('\n'), unsettled, counted };
}

interface Row {
  readonly accepts: number | undefined;
  readonly connects: number | undefined;
  readonly state: string;
  /** Bytes not yet acknowledged, and not yet read, as `tx:rx` in hexadecimal. */
  readonly queues: string;
  /** 0: not accepted yet, or closed by its process. */
  readonly inode: string;
}

/** Adds the rows of our own ports, by their two addresses; false where there is no table. */
async function readRows(
  linkOfPort: ReadonlyMap<number, number>,
  rows: Map<string, Row>,
): Promise<boolean> {
  for (const file of ['/proc/net/tcp', '/proc/net/tcp6']) {
    const text = await readFile(file, 'latin1').catch(() => null);
    if (text === null && file === '/proc/net/tcp') return false;
    for (const line of text?.split('\n').slice(1) ?? []) {
      const [, local, remote, state, queues, , , , , inode] = line.trim().split(/\s+/);
      if (local === undefined || remote === undefined || state === undefined) continue;
      const accepts = linkOfPort.get(portOf(local));
      const connects = linkOfPort.get(portOf(remote));
      if (NOT_OPEN.has(state) || (accepts === undefined && connects === undefined)) continue;
      const row = { accepts, connects, state, queues: queues ?? '', inode: inode ?? '0' };
      rows.set(`${local} ${remote}`, row);
    }
  }
  return true;
}

function portOf(address: string): number {
  return Number.parseInt(address.slice(address.lastIndexOf(':') + 1), 16);
}

function count(counts: Map<number, number>, link: number | undefined): void {
  if (link !== undefined) counts.set(link, (counts.get(link) ?? 0) + 1);
}
