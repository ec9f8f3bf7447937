/**
 * Real MariaDB as the database: a private data folder, a port of loopback, one user and the
 * app's table with its rows. Durability is turned down (`innodb_flush_log_at_trx_commit=0`),
 * because nothing outlives the run; the rest is MariaDB's own default.
 *
 * It never runs as root: as root we let it change to the user `mysql`, if there is one.
 * The data folder is made by the kept process too, so that it vanishes with a run that is
 * killed meanwhile (making it takes a few seconds).
 */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { DatabaseHop } from '../../model/topology.ts';
import { DATABASE_PASSWORD, DATABASE_USER } from '../database/handshake.ts';
import { CREATE_ITEMS, DATABASE_NAME, insertInitialItems } from '../database/items.ts';
import { fixedPort, freePorts, privateFolder, startKept } from './keeper.ts';
import { programPath, serverUser } from './programs.ts';
import { type ForeignContext, ForeignError, type ForeignServer } from './server.ts';

/** $1 = installer, $2 = data folder, $3 = option for the user or empty; the rest = the server. */
const INSTALL_AND_RUN = `
install=$1 data=$2 user=$3
shift 3
# Temporary files too: the server's user need not be allowed to write where ours are.
export TMPDIR="$data"
# A server that was killed comes back to its data.
if ! [ -d "$data/mysql" ]; then
  said=$("$install" --no-defaults --datadir="$data" --skip-test-db $user 2>&1) ||
    { echo "$said" >&2; exit 1; }
fi
exec "$@"
`;

/** MariaDB raises a smaller `max_connections` to this without a word. */
const CONNECTIONS_MIN = 10;

/** @throws ForeignError `program-missing`, `program-failed` (with MariaDB's own words) */
export async function startMariadb(hop: DatabaseHop, ctx: ForeignContext): Promise<ForeignServer> {
  if (hop.connectionsMax < CONNECTIONS_MIN) {
    throw new ForeignError(
      'program-failed',
      `MariaDB allows at least ${CONNECTIONS_MIN} connections: ` +
        `set ${hop.name}.connectionsMax to ${CONNECTIONS_MIN} or more`,
    );
  }
  const server = programPath('mariadbd');
  const installer = programPath('mariadb-install-db');
  const [free = 0] = await freePorts(1);
  const port = fixedPort(hop.listen) ?? free;
  const folder = privateFolder('mariadb');
  const user = serverUser(['mysql']);
  const asUser = user === null ? [] : [`--user=${user}`];
  const data = path.join(folder, 'data');
  const init = path.join(folder, 'init.sql');
  const args = [
    '--no-defaults',
    `--datadir=${data}`,
    `--port=${port}`,
    '--bind-address=127.0.0.1',
    // Both are relative to the data folder, which belongs to the server's user.
    '--socket=socket',
    '--pid-file=pid',
    `--init-file=${init}`,
    `--max-connections=${hop.connectionsMax}`,
    `--max-prepared-stmt-count=${hop.preparedStatementsMax}`,
    '--back-log=1000',
    '--innodb-flush-log-at-trx-commit=0',
    '--innodb-buffer-pool-size=64M',
    '--skip-log-bin',
    '--skip-name-resolve',
    ...asUser,
  ];
  const kept = await startKept({
    command: '/bin/sh',
    args: ['-c', INSTALL_AND_RUN, 'mariadb', installer, data, asUser.join(), server, ...args],
    folder,
    ready: port,
    prepare: () => writeFile(init, initialSql()),
  });
  return {
    session: kept.pid,
    endpoints: endpointsOf(hop, ctx, '127.0.0.1', port),
    died: kept.died,
    restart: (away) => kept.restart(away),
    stop: () => kept.stop(),
  };
}

/** A database that runs elsewhere: its address, nothing to start or stop. */
export function databaseAt(url: string, hop: DatabaseHop, ctx: ForeignContext): ForeignServer {
  const { hostname, port } = new URL(url);
  return {
    session: null,
    endpoints: endpointsOf(hop, ctx, hostname, port === '' ? 3_306 : Number(port)),
    died: new Promise(() => {}),
    restart: null,
    stop: () => Promise.resolve(),
  };
}

function endpointsOf(hop: DatabaseHop, { plan }: ForeignContext, address: string, port: number) {
  const instance = plan.instances.find((one) => one.hop === hop.name)?.index ?? -1;
  return plan.links
    .filter((link) => link.upstream === hop.name)
    .map((link) => ({ instance, link: link.index, address, port }));
}

function initialSql(): string {
  const user = `'${DATABASE_USER}'@'127.0.0.1'`;
  return [
    `CREATE DATABASE IF NOT EXISTS ${DATABASE_NAME};`,
    `CREATE USER IF NOT EXISTS ${user} IDENTIFIED BY '${DATABASE_PASSWORD}';`,
    `GRANT ALL ON ${DATABASE_NAME}.* TO ${user};`,
    `USE ${DATABASE_NAME};`,
    `${CREATE_ITEMS};`,
    `${insertInitialItems()};`,
    '',
  ].join('\n');
}
