/**
 * Compiles sockets.c to sockets.node, where that can be done without asking anybody: on Linux, with
 * a C compiler (`$CC` or cc) and the headers of this Node, which come with it. Nothing is
 * downloaded. Anywhere else waterhammer runs without (src/live/io/native-sockets.ts).
 *
 *   node native/compile.mjs     npm runs it as the package is installed; it never fails
 *
 * One file fits every Node of this system (Node-API), so it is made again only when its source,
 * or the system, has changed.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { argv, env, execPath, pid, platform, version } from 'node:process';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('.', import.meta.url));
const source = join(folder, 'sockets.c');
const addon = join(folder, 'sockets.node');
const stamp = join(folder, 'sockets.stamp');

/** Returns null when sockets.node is there and up to date, or the reason why it is not. */
export function compileSockets() {
  if (platform !== 'linux') return `not on ${platform}`;
  const fingerprint = fingerprintOf(source);
  if (existsSync(addon) && existsSync(stamp) && readFileSync(stamp, 'utf8') === fingerprint) {
    return null;
  }
  const headers = headersOfNode();
  if (headers === null) return 'the headers of this Node are not here';
  const made = join(folder, `sockets-${pid}.node`);
  const options = ['-std=c11', '-O2', '-shared', '-fPIC', `-I${headers}`, '-o', made, source];
  const { error, status, stderr } = spawnSync(env.CC ?? 'cc', options, { encoding: 'utf8' });
  if (error !== undefined) return 'there is no C compiler';
  if (status !== 0) return `the C compiler refused: ${stderr.trim().split('\n', 1)[0]}`;
  rmSync(stamp, { force: true });
  renameSync(made, addon);
  writeFileSync(stamp, fingerprint);
  return null;
}

function fingerprintOf(path) {
  const system = `${platform} ${process.arch}`;
  return createHash('sha256').update(system).update(readFileSync(path)).digest('hex');
}

/** With this Node, where npm was told (`nodedir`), or where node-gyp once put them. */
function headersOfNode() {
  const cache = env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  const roots = [
    join(dirname(realpathSync(execPath)), '..'),
    ...(env.npm_config_nodedir === undefined ? [] : [env.npm_config_nodedir]),
    join(cache, 'node-gyp', version.slice(1)),
    '/usr',
  ];
  const found = roots.map((root) => join(root, 'include', 'node'));
  const isComplete = (path) => ['node_api.h', 'uv.h'].every((name) => existsSync(join(path, name)));
  return found.find(isComplete) ?? null;
}

if (argv[1] !== undefined && realpathSync(argv[1]) === fileURLToPath(import.meta.url)) {
  const reason = compileSockets();
  if (reason !== null) process.stderr.write(`waterhammer: no native sockets: ${reason}\n`);
}
