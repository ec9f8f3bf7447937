/**
 * The client of bench/database.mjs: `client.mjs PORT CONNECTIONS SECONDS`. Each connection asks
 * for one item after the other with a statement that is prepared once. Prints one JSON object.
 */
import mysql from 'mysql2/promise';

const [port, count, seconds] = process.argv.slice(2).map(Number);
const SELECT = 'SELECT id, name, price FROM items WHERE id = ?';
const ITEMS = 1_000;

const options = { host: '127.0.0.1', port, user: 'waterhammer', password: 'waterhammer' };
const connections = await Promise.all(
  Array.from({ length: count }, () =>
    mysql.createConnection({ ...options, database: 'waterhammer' }),
  ),
);
for (const connection of connections) await connection.execute(SELECT, [1]);

let queries = 0;
const cpuBefore = process.cpuUsage();
const from = performance.now();
const until = from + seconds * 1_000;
await Promise.all(
  connections.map(async (connection, index) => {
    for (let id = index; performance.now() < until; id++) {
      const [[row]] = await connection.execute(SELECT, [1 + (id % ITEMS)]);
      if (row?.id !== 1 + (id % ITEMS)) throw new Error('a wrong row');
      queries += 1;
    }
  }),
);
const lasted = (performance.now() - from) / 1_000;
const { user, system } = process.cpuUsage(cpuBefore);
process.stdout.write(
  JSON.stringify({ queries, perSecond: queries / lasted, cpuMicros: user + system }),
);
for (const connection of connections) connection.destroy();
