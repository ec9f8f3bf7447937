/** Finds server programs, or says which Debian package brings them. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { ForeignError } from './server.ts';

const PACKAGES = {
  nginx: 'nginx-light',
  mariadbd: 'mariadb-server-core',
  'mariadb-install-db': 'mariadb-server-core',
} as const;

/** Servers live in `sbin`, which users may not have in their PATH. */
const SYSTEM_FOLDERS = ['/usr/sbin', '/sbin', '/usr/local/sbin', '/usr/bin'];

/**
 * The full path of a program. WATERHAMMER_PROGRAM_PATH replaces the system's folders.
 * @throws ForeignError `program-missing` with the package and the command that installs it
 */
export function programPath(name: keyof typeof PACKAGES): string {
  const own = process.env.WATERHAMMER_PROGRAM_PATH;
  const system = own === undefined ? SYSTEM_FOLDERS : own.split(path.delimiter);
  const folders = [...(process.env.PATH ?? '').split(path.delimiter), ...system];
  for (const folder of folders) {
    const candidate = path.join(folder, name);
    if (folder !== '' && existsSync(candidate)) return candidate;
  }
  const wanted = PACKAGES[name];
  throw new ForeignError(
    'program-missing',
    `${name} is not installed; on Debian: apt-get install --no-install-recommends ${wanted}` +
      (wanted.startsWith('mariadb') ? ' (part of mariadb-server)' : ' (or any nginx package)'),
  );
}
