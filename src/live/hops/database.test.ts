/** The embedded database under real clients: mysql2, Debian's `mariadb` program, and raw bytes. */
import { execFile } from 'node:child_process';
import net from 'node:net';
import fc from 'fast-check';
import {
  type Connection,
  createConnection,
  type ResultSetHeader,
  type RowDataPacket,
} from 'mysql2/promise';
import { afterEach, describe, expect, it } from 'vitest';
import { requireProgram } from '../../../test/support/skips.ts';
import { EventKind } from '../../model/event.ts';
import type { DatabaseHop } from '../../model/topology.ts';
import { DATABASE_PASSWORD, DATABASE_USER } from '../database/handshake.ts';
import { DATABASE_NAME, INSERT_ITEM, SELECT_ITEM } from '../database/items.ts';
import { causesOf, endsOf, type RunningHop, raw, startHop } from '../test-http.case.ts';
import { testMachine, until } from '../test-support.ts';
import { createDatabase } from './database.ts';

const settings: DatabaseHop = {
  kind: 'database',
  name: 'db',
  upstream: null,
  listen: null,
  ...testMachine,
  implementation: 'embedded',
  url: null,
  connectionsMax: 151,
  serviceTime: { kind: 'constant', value: 0 },
  concurrencyMax: 4,
  waitingMax: 100_000,
  contention: 0,
  preparedStatementsMax: 16_382,
};

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

async function start(changes: Partial<DatabaseHop> = {}): Promise<RunningHop> {
  const database = await startHop(createDatabase, { ...settings, ...changes }, {});
  cleanups.push(() => database.stop());
  return database;
}

async function connect(database: RunningHop, changes: object = {}): Promise<Connection> {
  const connection = await createConnection({
    host: '127.0.0.1',
    port: database.port,
    user: DATABASE_USER,
    password: DATABASE_PASSWORD,
    database: DATABASE_NAME,
    ...changes,
  });
  connection.on('error', () => {});
  cleanups.push(async () => connection.destroy());
  return connection;
}

/** The socket below mysql2's connection. */
function socketOf(connection: Connection): net.Socket {
  const socket: unknown = Reflect.get(Reflect.get(connection, 'connection'), 'stream');
  if (!(socket instanceof net.Socket)) throw new Error('a connection without a socket');
  return socket;
}

const rowsOf = async (connection: Connection, sql: string): Promise<RowDataPacket[]> =>
  (await connection.query<RowDataPacket[]>(sql))[0];

const started = (database: RunningHop) =>
  database.events().filter(({ kind }) => kind === EventKind.exchangeStarted);
const statuses = (database: RunningHop) =>
  database
    .events()
    .filter(({ kind }) => kind === EventKind.exchangeEnded)
    .map(({ a }) => a);

describe('the embedded database and mysql2', () => {
  it('answers both protocols alike', async () => {
    const database = await start();
    const connection = await connect(database);
    const text = await rowsOf(connection, 'SELECT id, name, price FROM items WHERE id = 7');
    const [binary] = await connection.execute<RowDataPacket[]>(SELECT_ITEM, [7]);
    expect(text).toEqual([{ id: 7, name: 'item 7', price: 5433 }]);
    expect(binary).toEqual(text);
    expect((await connection.execute<RowDataPacket[]>(SELECT_ITEM, ['8']))[0]).toEqual(
      await rowsOf(connection, 'select id, name, price from items where id = 8;'),
    );
    expect((await connection.execute(SELECT_ITEM, [1_000_000]))[0]).toEqual([]);
    await connection.end();
    // Preparing, pinging and quitting are not exchanges.
    expect(started(database)).toHaveLength(5);
    expect(new Set(statuses(database))).toEqual(new Set([200]));
  });

  it('keeps what was inserted', async () => {
    const database = await start();
    const connection = await connect(database);
    const [first] = await connection.execute<ResultSetHeader>(INSERT_ITEM, ['näme ✓', 12]);
    expect(first).toMatchObject({ affectedRows: 1, insertId: 1_001 });
    const [second] = await connection.query<ResultSetHeader>(
      "INSERT INTO items (name, price) VALUES ('it''s \\'quoted\\'', -3)",
    );
    expect(second.insertId).toBe(1_002);
    const [rows] = await connection.execute<RowDataPacket[]>(SELECT_ITEM, [1_001]);
    expect(rows).toEqual([{ id: 1_001, name: 'näme ✓', price: 12 }]);
    expect(await rowsOf(connection, 'SELECT id, name, price FROM items WHERE id = 1002')).toEqual([
      { id: 1_002, name: "it's 'quoted'", price: -3 },
    ]);
    await connection.end();
  });

  it('answers what drivers and tools ask on their own', async () => {
    const database = await start();
    const connection = await connect(database);
    await connection.query('SET NAMES utf8mb4');
    await connection.query('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED');
    await connection.beginTransaction();
    await connection.commit();
    await connection.ping();
    await connection.query(`USE ${DATABASE_NAME}`);
    expect(await rowsOf(connection, 'SELECT 1')).toEqual([{ 1: 1 }]);
    expect(await rowsOf(connection, 'SELECT 1 + 1 AS two').catch((error) => error.errno)).toBe(
      1_064,
    );
    expect(await rowsOf(connection, 'SELECT DATABASE() AS name, 2 AS n')).toEqual([
      { name: DATABASE_NAME, n: 2 },
    ]);
    expect(await rowsOf(connection, 'select @@max_connections as most, @@version')).toEqual([
      { most: 151, '@@version': expect.stringMatching(/^\d+\.\d+\.\d+/) },
    ]);
    expect(await rowsOf(connection, "SHOW VARIABLES LIKE 'max_%_count'")).toEqual([
      { Variable_name: 'max_prepared_stmt_count', Value: '16382' },
    ]);
    expect(await rowsOf(connection, "SHOW STATUS LIKE 'Threads_connected'")).toEqual([
      { Variable_name: 'Threads_connected', Value: '1' },
    ]);
    expect(await rowsOf(connection, 'SHOW WARNINGS')).toEqual([]);
    expect(Object.values((await rowsOf(connection, 'SHOW TABLES'))[0] ?? {})).toEqual(['items']);
    await connection.end();
  });

  it('refuses with the errors of MySQL', async () => {
    const database = await start({ connectionsMax: 2, preparedStatementsMax: 1 });
    const one = await connect(database);
    await connect(database);
    await expect(connect(database)).rejects.toMatchObject({
      errno: 1_040,
      code: 'ER_CON_COUNT_ERROR',
      sqlState: '08004',
    });
    await expect(one.query('SELEKT 1')).rejects.toMatchObject({ errno: 1_064 });
    await expect(one.query('SELECT * FROM people')).rejects.toMatchObject({ errno: 1_146 });
    await one.execute(SELECT_ITEM, [1]);
    await expect(one.execute(INSERT_ITEM, ['x', 1])).rejects.toMatchObject({ errno: 1_461 });
    await expect(one.changeUser({ user: 'x' })).rejects.toMatchObject({ errno: 1_047 });
    const closed = () => causesOf(database.events(), endsOf(database.events(), EventKind.accepted));
    await one.end();
    await until('the connection is closed', () => closed().includes('peer_fin'));
    const after = await connect(database);
    // Closing the connection gave its statement back.
    await after.execute(INSERT_ITEM, ['x', 1]);
    await after.end();
    expect(closed()).toContain('overflow');
    expect(statuses(database)).toContain(500);
  });

  it('knows one user, and switches other plugins to its own', async () => {
    const database = await start();
    const denied = { errno: 1_045, sqlState: '28000' };
    await expect(connect(database, { password: 'wrong' })).rejects.toMatchObject(denied);
    await expect(connect(database, { password: '' })).rejects.toMatchObject(denied);
    await expect(connect(database, { user: 'root' })).rejects.toMatchObject(denied);
    await expect(connect(database, { database: 'other' })).rejects.toMatchObject({ errno: 1_044 });
  });
});

describe('the CPU of the embedded database', () => {
  const service = { kind: 'constant', value: 20_000 } as const;

  it('serves `concurrencyMax` queries at a time, session statements beside them', async () => {
    // Three turns, so long that a busy machine, too, asks for something else meanwhile.
    const serviceTime = { kind: 'constant', value: 400_000 } as const;
    const database = await start({ serviceTime, concurrencyMax: 2 });
    const connections = await Promise.all(Array.from({ length: 6 }, () => connect(database)));
    const other = await connect(database);
    const order: number[] = [];
    const work = connections.map(async (connection, index) => {
      await connection.execute(SELECT_ITEM, [index + 1]);
      order.push(index);
    });
    await until('all wait', () => database.counters.held === 4);
    expect(database.counters.active).toBe(2);
    await other.query('SELECT 1');
    expect(database.counters.held).toBeGreaterThan(0);
    await Promise.all(work);
    expect(order).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('stalls, then answers everything; slows down; takes new settings', async () => {
    const database = await start();
    const connection = await connect(database);
    const stall = { action: 'stall', hop: 'db', lasts: 80_000 } as const;
    const since = performance.now();
    expect(database.live.apply(stall)).toBe(true);
    const others = await Promise.all([connect(database), connect(database)]);
    await Promise.all(
      [connection, ...others].map((one, index) =>
        index === 2 ? one.query('SELECT 1') : one.execute(SELECT_ITEM, [1]),
      ),
    );
    // The stall began after `since`, and its end is never early (but for rounding to whole µs).
    expect(performance.now() - since).toBeGreaterThan(79.9);
    expect(database.live.apply({ action: 'set', path: 'db.serviceTime', to: service })).toBe(true);
    const slow = { action: 'slow', hop: 'db', factor: 4, lasts: 60_000_000 } as const;
    expect(database.live.apply(slow)).toBe(true);
    const slowSince = performance.now();
    await connection.execute(SELECT_ITEM, [1]);
    expect(performance.now() - slowSince).toBeGreaterThan(75);
    expect(database.live.apply({ ...slow, hop: 'other' })).toBe(false);
    const limit = { action: 'set', path: 'db.connectionsMax', to: 3 } as const;
    expect(database.live.apply(limit)).toBe(true);
    await expect(connect(database)).rejects.toMatchObject({ errno: 1_040 });
  });

  it('serves the query of a client that closes, not that of one that resets', async () => {
    const database = await start({ serviceTime: service });
    for (const way of ['destroy', 'resetAndDestroy'] as const) {
      const connection = await connect(database);
      const lost = connection.execute(SELECT_ITEM, [1]).catch((error) => error.message);
      await until(
        'the query is served',
        () => started(database).length > statuses(database).length,
      );
      socketOf(connection)[way]();
      await lost;
      await until('it is over', () => started(database).length === statuses(database).length);
    }
    expect(statuses(database)).toEqual([200, 0]);
  });
});

describe('the embedded database and other clients', () => {
  it("works with MariaDB's own client", async (context) => {
    const program = requireProgram('mariadb', context);
    const database = await start();
    const sql = `${INSERT_ITEM.replace('?, ?', "'from the shell', 5")};
        SELECT id, name, price FROM items WHERE id = LAST_INSERT_ID;`;
    const args = ['--no-defaults', '-h127.0.0.1', `-P${database.port}`, `-u${DATABASE_USER}`];
    const ask = (...more: string[]): Promise<string> =>
      new Promise((resolve) => {
        execFile(
          program,
          [...args, `-p${DATABASE_PASSWORD}`, DATABASE_NAME, ...more],
          (_error, stdout, stderr) => resolve(stdout + stderr),
        );
      });
    expect(await ask('-e', SELECT_ITEM.replace('?', '7'))).toBe(
      'id\tname\tprice\n7\titem 7\t5433\n',
    );
    expect(await ask('-e', sql)).toMatch(/ERROR 1064 \(42000\) at line 2/);
    expect(await ask('-N', '-e', 'SELECT id, name FROM items WHERE id = 1001')).toBe(
      '1001\tfrom the shell\n',
    );
    expect(await ask('-e', 'status')).toContain('waterhammer embedded database');
    expect(await ask('--default-auth=caching_sha2_password', '-e', 'SELECT 1')).toBe('1\n1\n');
    await until('all are gone', () => database.counters.active === 0);
  });

  it('survives any bytes, before the handshake and after it', async () => {
    const database = await start();
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
        await raw(database.port, Buffer.from(bytes).toString('latin1'), () => true);
      }),
      { numRuns: 60 },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            command: fc.constantFrom(0, 1, 2, 3, 4, 9, 14, 17, 22, 23, 24, 25, 26, 31),
            rest: fc.oneof(
              fc.uint8Array({ maxLength: 40 }),
              fc
                .constantFrom(SELECT_ITEM, "INSERT INTO items (name, price) VALUES ('", 'SHOW x')
                .map((text) => Buffer.from(text)),
              fc
                .constantFrom([1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 254, 0, 200, 65], [1, 0, 0, 0])
                .map((bytes) => Uint8Array.from(bytes)),
            ),
          }),
          { maxLength: 8 },
        ),
        fc.boolean(),
        async (commands, half) => {
          const connection = await connect(database);
          const socket = socketOf(connection);
          socket.removeAllListeners('data');
          const packets = commands.map(({ command, rest }) => {
            const head = Buffer.from([rest.length + 1, 0, 0, 0, command]);
            return Buffer.concat([head, rest]);
          });
          const bytes = Buffer.concat(packets);
          socket.write(half ? bytes.subarray(0, bytes.length >> 1) : bytes);
          await new Promise((resolve) => setTimeout(resolve, 2));
          socket.destroy();
        },
      ),
      { numRuns: 60 },
    );
    const after = await connect(database);
    expect(await rowsOf(after, 'SELECT 1')).toEqual([{ 1: 1 }]);
    await after.end();
    // stop() strikes the books: every exchange and every end must be closed.
    await database.stop();
  });

  it('takes no more from a client that does not read, and loses nothing', async () => {
    const database = await start();
    const socket = socketOf(await connect(database));
    socket.removeAllListeners('data').pause();
    const text = 'x'.repeat(60_000);
    const sql = `SELECT '${text}' AS a`;
    const query = Buffer.alloc(5 + sql.length);
    query.writeUIntLE(1 + sql.length, 0, 3);
    query[4] = 3;
    query.write(sql, 5);
    // More than the kernel takes in both directions together, twice over.
    const times = 600;
    for (let i = 0; i < times; i++) socket.write(query);
    let before = -1;
    while (before !== started(database).length) {
      before = started(database).length;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(before).toBeGreaterThan(0);
    expect(before).toBeLessThan(times);
    let got = 0;
    socket.on('data', (chunk) => {
      got += chunk.length;
    });
    socket.resume().end();
    await until('every answer', () => got > times * text.length && socket.destroyed);
    expect(statuses(database)).toEqual(new Array(times).fill(200));
  });

  it('ends a connection that breaks the protocol, with the error that says how', async () => {
    const database = await start();
    const errorOf = (got: string): string => got.slice(got.indexOf('#'));
    const oversized = await raw(database.port, '\xff\xff\xff\x01', () => false);
    expect(errorOf(oversized)).toContain("bigger than 'max_allowed_packet'");
    const disordered = await raw(database.port, '\x01\x00\x00\x05\x01', () => false);
    expect(errorOf(disordered)).toContain('Got packets out of order');
    const short = await raw(database.port, '\x02\x00\x00\x01\x01\x02', () => false);
    expect(errorOf(short)).toContain('Bad handshake');
    const events = await database.stop();
    const causes = causesOf(events, endsOf(events, EventKind.accepted));
    expect(causes).toEqual(['protocol_error', 'protocol_error', 'protocol_error']);
  });
});
