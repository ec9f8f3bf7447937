/** Real MariaDB, and that the embedded database answers the same. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { findProgram, requireProgram } from '../../../test/support/skips.ts';
import { EventKind } from '../../model/event.ts';
import type { AppHop, DatabaseHop } from '../../model/topology.ts';
import { DATABASE_PASSWORD, DATABASE_USER } from '../database/handshake.ts';
import { DATABASE_NAME, INSERT_ITEM, SELECT_ITEM } from '../database/items.ts';
import { createApp } from '../hops/app.ts';
import { createDatabase } from '../hops/database.ts';
import { type RunningHop, request, startHop } from '../test-http.case.ts';
import { testLinks, testMachine } from '../test-support.ts';
import { databaseAt, startMariadb } from './mariadb.ts';
import type { ForeignServer } from './server.ts';
import { foreignContext } from './test-plan.ts';

const settings: DatabaseHop = {
  kind: 'database',
  name: 'hop',
  upstream: null,
  listen: null,
  ...testMachine,
  implementation: 'mariadb',
  url: null,
  connectionsMax: 10,
  serviceTime: { kind: 'constant', value: 0 },
  concurrencyMax: 4,
  waitingMax: 100_000,
  contention: 0,
  preparedStatementsMax: 2,
};

const app: AppHop = {
  kind: 'app',
  implementation: 'builtin',
  name: 'app',
  upstream: 'hop',
  listen: null,
  ...testMachine,
  serviceTime: { kind: 'constant', value: 0 },
  concurrencyMax: 0,
  waitingMax: 100_000,
  contention: 0,
  queriesPerRequest: 2,
  statements: 1,
  keepAliveTimeout: 5_000_000,
  responseBytes: 200,
  // Two statements on one connection are all that is allowed here.
  pool: { min: 0, max: 1, idle: 10_000_000, acquire: 60_000_000, evict: 1_000_000 },
};

const PROGRAMS = ['mariadbd', 'mariadb-install-db'] as const;

const connectTo = (port: number, user = DATABASE_USER, password = DATABASE_PASSWORD) =>
  createConnection({
    host: '127.0.0.1',
    port,
    user,
    password,
    ...(user === DATABASE_USER ? { database: DATABASE_NAME } : {}),
  });

/** What a client sees of a statement: rows, the outcome of a change, or the error. */
async function outcome(connection: Connection, sql: string, parameters: unknown[] | null) {
  try {
    const [result] =
      parameters === null
        ? await connection.query<RowDataPacket[]>(sql)
        : await connection.execute<RowDataPacket[]>(sql, parameters as (string | number | null)[]);
    if (Array.isArray(result)) return result;
    const { affectedRows, insertId } = result as { affectedRows: number; insertId: number };
    return { affectedRows, insertId };
  } catch (error) {
    const { errno, sqlState } = error as { errno: number; sqlState: string };
    // MySQL's own state for this one is HY000, and MySQL is what we say we are.
    return { errno, sqlState: errno === 1_366 ? null : sqlState };
  }
}

describe('MariaDB', () => {
  let mariadb: ForeignServer;
  let embedded: RunningHop;
  let port = 0;

  beforeAll(async () => {
    // Each test says so, and only there may it be skipped.
    if (PROGRAMS.some((name) => findProgram(name) === null)) return;
    mariadb = await startMariadb(settings, foreignContext(settings));
    port = mariadb.endpoints[0]?.port ?? 0;
    embedded = await startHop(createDatabase, { ...settings, implementation: 'embedded' }, {});
  });

  beforeEach((context) => {
    for (const name of PROGRAMS) requireProgram(name, context);
  });

  afterAll(async () => {
    await embedded?.stop();
    await mariadb?.stop();
  });

  it('listens for each link that leads to it, as a user that is not root', async () => {
    expect(mariadb.endpoints.map(({ instance, link }) => [instance, link])).toEqual([
      [0, 0],
      [0, 2],
    ]);
    const connection = await connectTo(port);
    const [rows] = await connection.query<RowDataPacket[]>(
      'SELECT @@pid_file AS pid, @@datadir AS data',
    );
    await connection.end();
    const [row] = rows;
    const file = path.resolve(String(row?.data), String(row?.pid));
    const status = readFileSync(`/proc/${readFileSync(file, 'utf8').trim()}/status`, 'utf8');
    const uid = Number(/^Uid:\s+(\d+)/m.exec(status)?.[1]);
    if (readFileSync('/etc/passwd', 'utf8').includes('\nmysql:')) expect(uid).not.toBe(0);
  });

  it('and the embedded database answer alike', async () => {
    const real = await connectTo(port);
    const own = await connectTo(embedded.port);
    const long = 'x'.repeat(256);
    const cases: [string, unknown[] | null][] = [
      [SELECT_ITEM, [1]],
      [SELECT_ITEM, ['1000']],
      [SELECT_ITEM, [1_001]],
      [SELECT_ITEM, [null]],
      ['SELECT id, name, price FROM items WHERE id = 3', null],
      ['select name, id from `items` where `id` = 3 limit 1;', null],
      ['SELECT * FROM waterhammer.items WHERE id = 4 -- comment', null],
      [INSERT_ITEM, ['näme ✓', 12]],
      [INSERT_ITEM, [null, -1]],
      [INSERT_ITEM, [long, 1]],
      [INSERT_ITEM, ['big', 3_000_000_000]],
      [INSERT_ITEM, ['no number', 'x']],
      ["INSERT INTO items (name, price) VALUES ('it''s \\'x\\'', 5)", null],
      ['SELECT id, name, price FROM items WHERE id = 1001', null],
      ['SELECT id, name, price FROM items WHERE id = 1002', null],
      ['SET NAMES utf8mb4', null],
      ['SELECT 1', null],
      ["SELECT 1 AS a, 'b' AS b, NULL AS c, DATABASE() AS d", null],
      ['SELECT @@max_prepared_stmt_count AS n', null],
      ['SELECT @@nonsense', null],
      ['SELECT * FROM people', null],
      ['SELECT nothing FROM items WHERE id = 1', null],
      ['SELEKT 1', null],
      ['USE nowhere', null],
      ['SELECT name FROM items WHERE id = ?', [5]],
      ['SHOW TABLES', null],
    ];
    for (const [sql, parameters] of cases) {
      const [expected, got] = [
        await outcome(real, sql, parameters),
        await outcome(own, sql, parameters),
      ];
      expect({ sql, parameters, got }).toEqual({ sql, parameters, got: expected });
    }
    await real.end();
    await own.end();
  });

  it('and the embedded database refuse alike', async () => {
    for (const place of [port, embedded.port]) {
      const open = await Promise.all(Array.from({ length: 10 }, () => connectTo(place)));
      await expect(connectTo(place)).rejects.toMatchObject({ errno: 1_040, sqlState: '08004' });
      await Promise.all(open.map((connection) => connection.end()));
      await new Promise((resolve) => setTimeout(resolve, 50));
      const denied = { errno: 1_045, sqlState: '28000' };
      await expect(connectTo(place, DATABASE_USER, 'wrong')).rejects.toMatchObject(denied);
      // Nobody gets in without a password, the administrator included.
      await expect(connectTo(place, 'root', '')).rejects.toMatchObject(denied);
      const connection = await connectTo(place);
      await connection.execute(SELECT_ITEM, [1]);
      await connection.execute(INSERT_ITEM, ['y', 1]);
      await expect(connection.execute('SELECT 1')).rejects.toMatchObject({ errno: 1_461 });
      await connection.end();
    }
  });

  it('cannot have fewer connections than 10, and says so', async () => {
    const hop = { ...settings, connectionsMax: 9 };
    await expect(startMariadb(hop, foreignContext(hop))).rejects.toThrow(/at least 10/);
  });

  it.each(['node', 'builtin'] as const)('serves the app (%s), at a URL too', async (kind) => {
    const url = `mysql://${DATABASE_USER}:${DATABASE_PASSWORD}@127.0.0.1:${port}/${DATABASE_NAME}`;
    const given = databaseAt(url, settings, foreignContext(settings));
    expect(given.endpoints[0]).toMatchObject({ address: '127.0.0.1', port });
    await given.stop();
    const running = await startHop(
      createApp,
      { ...app, implementation: kind },
      { targets: given.endpoints },
    );
    const answers = await Promise.all(
      [1, 2, 3, 4].map((id) => request(running.port, { path: `/items/${id}` })),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    const made = await request(
      running.port,
      { method: 'POST', path: '/items' },
      '{"name":"from the app","price":7}',
    );
    expect(made.status).toBe(201);
    expect(JSON.parse(made.body.toString())).toMatchObject({ name: 'from the app', price: 7 });
    const events = await running.stop();
    const queries = events.filter(
      ({ kind, a, c }) => kind === EventKind.exchangeStarted && a > 0 && c === 1,
    );
    expect(queries).toHaveLength(10);
    expect(testLinks.outgoing.index).toBe(1);
  });
});
