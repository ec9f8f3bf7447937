/**
 * Programs in a namespace of their own (unshare(1)): another network or other mounts, which
 * nobody else sees and which end with the last process in them. Needs root; without, the test
 * is skipped with a printed reason.
 */
import { spawnSync } from 'node:child_process';
import { readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from './run-cli.ts';
import { findProgram, type Skippable, skip } from './skips.ts';

export type Namespace = 'net' | 'mnt';

const UNSHARE = findProgram('unshare') ?? '/usr/bin/unshare';
const OPTION = { net: '--net', mnt: '--mount' } as const;

export function requireNamespace(kind: Namespace, context: Skippable): void {
  const tried = spawnSync(UNSHARE, [OPTION[kind], 'true'], { encoding: 'utf8' });
  if (tried.status === 0) return;
  const why = tried.error?.message ?? tried.stderr.trim();
  skip(`a private namespace (unshare ${OPTION[kind]}) needs root: ${why}`, context);
}

/**
 * A program for `runCli` that runs the command line in a new namespace.
 * @param before shell commands that prepare it
 * @param after shell commands at the end, before its mounts are gone
 */
export function inNamespace(kind: Namespace, folder: string, before: string, after = ''): string {
  const outside = readlinkSync(`/proc/self/ns/${kind}`);
  const script = [
    'set -e',
    // Never on the machine's own network or mounts.
    `test "$(readlink /proc/self/ns/${kind})" != '${outside}'`,
    before,
    'code=0',
    '"$@" || code=$?',
    after,
    'exit $code',
  ].join('\n');
  const cli = join(projectRoot, 'dist', 'cli', 'main.js');
  const program = join(folder, `in-${kind}.mjs`);
  const command = [OPTION[kind], 'sh', '-c', script, 'sh', process.execPath, cli];
  writeFileSync(
    program,
    [
      `import { spawnSync } from 'node:child_process';`,
      `const command = [...${JSON.stringify(command)}, ...process.argv.slice(2)];`,
      `const { status } = spawnSync(${JSON.stringify(UNSHARE)}, command, { stdio: 'inherit' });`,
      'process.exitCode = status ?? 99;',
    ].join('\n'),
  );
  return program;
}
