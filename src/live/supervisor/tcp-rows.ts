/**
 * Reads `/proc/net/tcp` and `tcp6` (proc(5)), which list every TCP connection of the machine:
 *
 *   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
 *    0: 0100007F:1F90 0100007F:C2A4 01 00000000:00000000 00:00000000 00000000     0        0 4711
 *
 * Nearly all rows may be in TIME_WAIT, ours or of others, tens of thousands of them. Rows are told
 * apart by their bytes, and only those wanted become strings, so that a strike does not take
 * longer for what was closed before. The kernel hands out a page of rows per call: all are called
 * for at once, because to leave the event loop and come back costs more than a page.
 */
import { closeSync, openSync, readSync } from 'node:fs';

export interface TcpRow {
  /** Addresses with ports, as they stand there. */
  readonly local: string;
  readonly remote: string;
  readonly localPort: number;
  readonly remotePort: number;
  /** As include/net/tcp_states.h has it. */
  readonly state: number;
  /** Bytes not yet acknowledged, and not yet read, as `tx:rx` in hexadecimal. */
  readonly queues: string;
  /** 0: not accepted yet, or closed by its process. */
  readonly inode: string;
}

export type WantedRow = (state: number, localPort: number, remotePort: number) => boolean;

export type TcpTable = 'tcp' | 'tcp6';

/** Characters of an address with its port. */
const WIDTHS: Readonly<Record<TcpTable, number>> = { tcp: 13, tcp6: 37 };
const NEW_LINE = 0x0a;
const COLON = 0x3a;
const FIRST_BYTES = 64 * 1_024;

/** Null where the kernel offers no such table. */
export function readTcpRows(table: TcpTable, wanted: WantedRow): TcpRow[] | null {
  const text = readWhole(`/proc/net/${table}`);
  return text === null ? null : tcpRows(text, WIDTHS[table], wanted);
}

export function tcpRows(text: Buffer, width: number, wanted: WantedRow): TcpRow[] {
  const rows: TcpRow[] = [];
  // The first line has the names of the columns.
  let next = text.indexOf(NEW_LINE) + 1;
  while (next > 0 && next < text.length) {
    const local = text.indexOf(COLON, next) + 2;
    next = text.indexOf(NEW_LINE, next) + 1;
    const remote = local + width + 1;
    const rest = remote + width + 1;
    const localPort = hexadecimal(text, local + width - 4, 4);
    const remotePort = hexadecimal(text, remote + width - 4, 4);
    const state = hexadecimal(text, rest, 2);
    if (!wanted(state, localPort, remotePort)) continue;
    const fields = text.toString('latin1', rest, next === 0 ? text.length : next).trim();
    const [, queues = '', , , , , inode = '0'] = fields.split(/\s+/);
    rows.push({
      local: text.toString('latin1', local, local + width),
      remote: text.toString('latin1', remote, remote + width),
      localPort,
      remotePort,
      state,
      queues,
      inode,
    });
  }
  return rows;
}

/** Digits as the kernel writes them: in capitals. */
function hexadecimal(text: Buffer, at: number, digits: number): number {
  let value = 0;
  for (let i = at; i < at + digits; i++) {
    const code = text[i] ?? 0;
    value = value * 16 + (code < 0x41 ? code - 0x30 : code - 0x37);
  }
  return value;
}

function readWhole(path: string): Buffer | null {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return null;
  }
  try {
    let bytes = Buffer.allocUnsafe(FIRST_BYTES);
    let length = 0;
    for (;;) {
      const read = readSync(file, bytes, length, bytes.length - length, null);
      if (read === 0) return bytes.subarray(0, length);
      length += read;
      if (length < bytes.length / 2) continue;
      const larger = Buffer.allocUnsafe(2 * bytes.length);
      bytes.copy(larger, 0, 0, length);
      bytes = larger;
    }
  } finally {
    closeSync(file);
  }
}
