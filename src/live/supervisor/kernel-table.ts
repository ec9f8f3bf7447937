/**
 * The kernel's own list of TCP connections (`/proc/net/tcp`, proc(5)), counted per link: the
 * independent witness of the books. Only rows of our own listening ports count; LISTEN rows,
 * TIME_WAIT, and connections still in their handshake are left out.
 */
import type { Endpoint, KernelCount, Link } from '../../model/run.ts';
import { readTcpRows } from './tcp-rows.ts';

/** States in /proc/net/tcp (include/net/tcp_states.h). */
const NOT_OPEN: ReadonlySet<number> = new Set([0x02, 0x03, 0x06, 0x07, 0x0a, 0x0c]);

const ESTABLISHED = 0x01;
const CLOSE_WAIT = 0x08;

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
export function readKernelTable(
  links: readonly Link[],
  endpoints: readonly Endpoint[],
  foreign: ReadonlySet<number>,
): KernelView | null {
  const linkOfPort = new Map(endpoints.map((one) => [one.port, one.link]));
  const rows = new Map<string, Row>();
  // The kernel walks its table in pieces: while others come and go, a row may be told twice or
  // not at all. Two readings together have each of ours once, because ours stand still.
  for (let reading = 0; reading < 2; reading++) {
    if (!addRows(linkOfPort, rows)) return null;
  }
  const acceptor = new Map<number, number>();
  const connector = new Map<number, number>();
  const waiting = new Map<number, number>();
  const counted = new Map<string, number>();
  let unsettled = 0;
  for (const [name, { accepts, connects, state, queues, inode }] of rows) {
    const atForeign = foreign.has(accepts ?? -1);
    const unread = atForeign && !queues.endsWith(':00000000');
    // Without a socket, yet not closing: in the backlog of its listener.
    const waits = inode === '0' && (state === ESTABLISHED || state === CLOSE_WAIT);
    if (accepts !== undefined && state === ESTABLISHED && (waits || unread)) unsettled += 1;
    // A foreign server accepts whom its client has left, too, as soon as it comes to it.
    else if (atForeign && waits) unsettled += 1;
    if (waits) count(waiting, accepts);
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
  readonly state: number;
  readonly queues: string;
  readonly inode: string;
}

/** Adds the rows of our own ports, by their two addresses; false where there is no table. */
function addRows(linkOfPort: ReadonlyMap<number, number>, rows: Map<string, Row>): boolean {
  for (const table of ['tcp', 'tcp6'] as const) {
    const read = readTcpRows(
      table,
      (state, local, remote) =>
        !NOT_OPEN.has(state) && (linkOfPort.has(local) || linkOfPort.has(remote)),
    );
    if (read === null && table === 'tcp') return false;
    for (const { local, remote, localPort, remotePort, state, queues, inode } of read ?? []) {
      const accepts = linkOfPort.get(localPort);
      const connects = linkOfPort.get(remotePort);
      rows.set(`${local} ${remote}`, { accepts, connects, state, queues, inode });
    }
  }
  return true;
}

function count(counts: Map<number, number>, link: number | undefined): void {
  if (link !== undefined) counts.set(link, (counts.get(link) ?? 0) + 1);
}
