import { existsSync } from 'node:fs';
import net from 'node:net';
import { describe, expect, it } from 'vitest';
import { listenOn } from '../io/listen-on.ts';
import { readTcpRows, type TcpRow, tcpRows } from './tcp-rows.ts';

const HEAD = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n';
const REST = '00:00000000 00000000     0        0';
const TEXT = [
  `   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 ${REST} 17 1 0 100 0 0 10 0   \n`,
  `   1: 0100007F:C2A4 0100007F:1F90 01 00000000:0000001C ${REST} 4711 1 0 20 4 30 10 -1\n`,
  `   2: 0100007F:1F90 0100007F:C2A4 06 00000000:00000000 ${REST} 0 3 0\n`,
  `10003: 0100007F:1F91 0100007F:C2A5 08 00000000:00000000 ${REST} 0 1 0\n`,
].join('');
const ALL = (): boolean => true;

function read(text: string, width = 13, wanted: Parameters<typeof tcpRows>[2] = ALL): TcpRow[] {
  return tcpRows(Buffer.from(HEAD + text, 'latin1'), width, wanted);
}

describe('rows of /proc/net/tcp', () => {
  it('have ports, states, queues and inodes', () => {
    const rows = read(TEXT);
    expect(rows.map(({ state }) => state)).toEqual([0x0a, 0x01, 0x06, 0x08]);
    expect(rows.map((row) => [row.localPort, row.remotePort])).toEqual([
      [8_080, 0],
      [49_828, 8_080],
      [8_080, 49_828],
      [8_081, 49_829],
    ]);
    expect(rows.map(({ inode }) => inode)).toEqual(['17', '4711', '0', '0']);
    expect(rows[1]).toMatchObject({ local: '0100007F:C2A4', remote: '0100007F:1F90' });
    expect(rows[1]?.queues).toBe('00000000:0000001C');
  });

  it('are read without the last line break, and none is read of none', () => {
    expect(read(TEXT.trimEnd())).toHaveLength(4);
    expect(read('')).toEqual([]);
    expect(tcpRows(Buffer.alloc(0), 13, ALL)).toEqual([]);
  });

  it('are chosen by state and ports', () => {
    const rows = read(TEXT, 13, (state, local, remote) => state !== 6 && local + remote === 57_908);
    expect(rows.map(({ inode }) => inode)).toEqual(['4711']);
  });

  it('may be of IPv6', () => {
    const address = `${'0'.repeat(16)}FFFF00000100007F`;
    const [row] = read(
      `   0: ${address}:1F90 ${address}:C2A4 01 00000000:00000000 ${REST} 5 1`,
      37,
    );
    const expected = { localPort: 8_080, remotePort: 49_828, state: 1, inode: '5' };
    expect(row).toMatchObject({ ...expected, local: `${address}:1F90` });
  });

  it('are those of the kernel: both ends of a connection of ours', async () => {
    // On other systems there is no such table, and that is told.
    if (!existsSync('/proc/net/tcp')) return expect(readTcpRows('tcp', ALL)).toBeNull();
    const server = net.createServer();
    const { port } = await listenOn(server, null);
    const accepted = new Promise<net.Socket>((resolve) => server.once('connection', resolve));
    const client = net.connect(port, '127.0.0.1');
    const other = await accepted;
    const of = (): TcpRow[] =>
      readTcpRows('tcp', (_state, local, remote) => local === port || remote === port) ?? [];
    const ends = of().filter(({ state }) => state === 0x01);
    expect(ends.map((row) => [row.localPort, row.remotePort]).sort()).toEqual(
      [
        [client.localPort, port],
        [port, client.localPort],
      ].sort(),
    );
    expect(ends.some(({ inode }) => inode === '0')).toBe(false);
    expect(of().filter(({ state }) => state === 0x0a)).toHaveLength(1);
    client.destroy();
    other.destroy();
    server.close();
  });
});
