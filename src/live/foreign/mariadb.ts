/**
 * Real MariaDB as the database: a private data folder, a port of loopback, one user and the
 * app's table with its rows. Durability is turned down (`innodb_flush_log_at_trx_commit=0`),
 * because nothing outlives the run; the rest is MariaDB's own default.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { DatabaseHop } from '../../model/topology.ts';
import { DATABASE_PASSWORD, DATABASE_USER } from '../database/handshake.ts';
import { CREATE_ITEMS, DATABASE_NAME, insertInitialItems } from '../database/items.ts';
import { freePorts, startKept } from './keeper.ts';
import { programPath } from './programs.ts';
import { type ForeignContext, ForeignError, type ForeignServer } from './server.ts';

/** @throws ForeignError `program-missing`, `program-failed` (with MariaDB's own words) */
export async function startMariadb(hop: DatabaseHop, ctx: ForeignContext): Promise<ForeignServer> {
  const command = programPath('mariadbd');
  const install = programPath('mariadb-install-db');
  const folder = await mkdtemp(path.join(tmpdir(), 'waterhammer-mariadb-'));
  try {
    const data = path.join(folder, 'data');
    const asRoot = process.getuid?.() === 0 ? ['--user=root'] : [];
    await installDatabase(install, [
      '--no-defaults',
      `--datadir=${data}`,
      '--auth-root-authentication-method=normal',
      '--skip-test-db',
      ...asRoot,
    ]);
    const [free = 0] = await freePorts(1);
    const port =
      hop.listen === null ? free : Number(hop.listen.slice(hop.listen.lastIndexOf(':') + 1));
    await writeFile(path.join(folder, 'init.sql'), initialSql());
    const args = [
      '--no-defaults',
      `--datadir=${data}`,
      `--port=${port}`,
      '--bind-address=127.0.0.1',
      `--socket=${path.join(folder, 's')}`,
      `--pid-file=${path.join(folder, 'pid')}`,
      `--init-file=${path.join(folder, 'init.sql')}`,
      `--max-connections=${hop.connectionsMax}`,
      `--max-prepared-stmt-count=${hop.preparedStatementsMax}`,
      '--back-log=1000',
      '--innodb-flush-log-at-trx-commit=0',
      '--innodb-buffer-pool-size=64M',
      '--skip-log-bin',
      '--skip-name-resolve',
      ...asRoot,
    ];
    const kept = await startKept({ command, args, folder, ready: port });
    return { ...kept, endpoints: endpointsOf(hop, ctx, '127.0.0.1', port) };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** A database that runs elsewhere: its address, nothing to start or stop. */
export function databaseAt(url: string, hop: DatabaseHop, ctx: ForeignContext): ForeignServer {
  const { hostname, port } = new URL(url);
  return {
    endpoints: endpointsOf(hop, ctx, hostname, port === '' ? 3_306 : Number(port)),
    died: new Promise(() => {}),
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
  return [
    `CREATE DATABASE IF NOT EXISTS ${DATABASE_NAME};`,
    `CREATE USER IF NOT EXISTS '${DATABASE_USER}'@'%' IDENTIFIED BY '${DATABASE_PASSWORD}';`,
    `GRANT ALL ON ${DATABASE_NAME}.* TO '${DATABASE_USER}'@'%';`,
    `USE ${DATABASE_NAME};`,
    `${CREATE_ITEMS};`,
    `${insertInitialItems()};`,
    '',
  ].join('\n');
}

function installDatabase(command: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(command, args, (error, stdout, stderr) => {
      if (error === null) resolve();
      else reject(new ForeignError('program-failed', `${command}: ${stderr || stdout}`));
    });
  });
}
