/**
 * Foreign programs and inputs that a test needs. What is missing is a failure: a green run must
 * mean that everything was tried. Only WATERHAMMER_ALLOW_SKIPS=1 turns it into a skip, never in
 * CI; the reason is printed on a line `skipped: ...`, which `npm test` shows.
 *
 * The public inputs (captures and logs with their licences, beside the repository) are the
 * exception: they are not part of a clone, so that their absence is only a skip.
 */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { projectRoot } from './run-cli.ts';

/** What of a vitest test context is used: `test('...', (context) => ...)`. */
export interface Skippable {
  skip(note?: string): never;
}

/** Programs and the Debian packages that bring them. */
const packages = {
  nginx: 'nginx-light',
  mariadbd: 'mariadb-server-core',
  'mariadb-install-db': 'mariadb-server-core',
  mariadb: 'mariadb-client-core',
  haproxy: 'haproxy',
  wrk: 'wrk',
  plantuml: 'plantuml',
  jmeter: 'jmeter',
  chromium: 'chromium',
  ffprobe: 'ffmpeg',
  curl: 'curl',
  ip: 'iproute2',
  ss: 'iproute2',
} as const;

export type Program = keyof typeof packages;

/** Full path of a program, or null. Servers live in `sbin`, which users may not have in PATH. */
export function findProgram(name: string): string | null {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  const folder = folders.find((place) => place !== '' && existsSync(join(place, name)));
  return folder === undefined ? null : join(folder, name);
}

/**
 * Full path of a program that the test needs.
 * @throws when it is missing; where skips are allowed, skips the test instead
 */
export function requireProgram(name: Program, context: Skippable): string {
  const path = findProgram(name);
  if (path !== null) {
    return path;
  }
  const reason = `${name} is missing (Debian package ${packages[name]})`;
  if (process.env.CI || process.env.WATERHAMMER_ALLOW_SKIPS !== '1') {
    throw new Error(`${reason}; WATERHAMMER_ALLOW_SKIPS=1 allows to skip`);
  }
  return skip(reason, context);
}

/** Folder of the public inputs: WATERHAMMER_INPUTS or ../shared/inputs. Null when absent. */
export function inputsFolder(): string | null {
  const named = process.env.WATERHAMMER_INPUTS;
  if (named !== undefined && !existsSync(named)) {
    throw new Error(`WATERHAMMER_INPUTS names no folder: ${named}`);
  }
  const path = named ?? join(projectRoot, '..', 'shared', 'inputs');
  return existsSync(path) ? path : null;
}

/** The same, for a test that needs them: skips it, with a printed reason, when absent. */
export function requireInputs(context: Skippable): string {
  const reason = 'the public inputs are absent (neither WATERHAMMER_INPUTS nor ../shared/inputs)';
  return inputsFolder() ?? skip(reason, context);
}

export function skip(reason: string, context: Skippable): never {
  process.stderr.write(`skipped: ${reason}\n`);
  return context.skip(reason);
}
