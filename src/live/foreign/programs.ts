/** Finds programs that are not ours, or says which Debian package brings them. */
import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { ForeignError } from './server.ts';

const PACKAGES = {
  nginx: 'nginx-light',
  mariadbd: 'mariadb-server-core',
  'mariadb-install-db': 'mariadb-server-core',
  haproxy: 'haproxy',
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
    if (folder !== '' && isProgram(candidate)) return candidate;
  }
  const wanted = PACKAGES[name];
  throw new ForeignError(
    'program-missing',
    `${name} is not installed; on Debian: apt-get install --no-install-recommends ${wanted}` +
      (wanted.startsWith('mariadb') ? ' (part of mariadb-server)' : ''),
  );
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** The first of these names that a system file (`/etc/passwd`, `/etc/group`) knows. */
function firstKnown(file: string, names: readonly string[]): string | null {
  let text = '';
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return null;
  }
  return names.find((name) => text.includes(`\n${name}:`)) ?? null;
}

/** The user that a server should change to when we are root; null when we are not. */
export function serverUser(names: readonly string[]): string | null {
  if (process.getuid?.() !== 0) return null;
  return firstKnown('/etc/passwd', names) ?? 'root';
}

export function serverGroup(names: readonly string[]): string {
  return firstKnown('/etc/group', names) ?? 'root';
}
