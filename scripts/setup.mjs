/**
 * What a fresh clone needs before anything can run: the packages of the lock file, and what is
 * built from src/ and web/ into dist/: the program with its page (bin/, web/), which is all that
 * runs, and the modules that others may import. Each is skipped when its result is up to date,
 * so that a second `npm start` begins at once. Whatever they print goes to stderr: stdout
 * belongs to the job.
 *
 * Up to date means: the fingerprint stored with the result equals that of the inputs now. For
 * packages it is the text of the lock file (a folder that npm itself wrote after the lock last
 * changed counts too); for what is built it is path, size and time of every source file. Contents
 * are not read, which would cost more than it is worth; a file that was changed with its old
 * size and time restored is not noticed.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileSockets } from '../native/compile.mjs';

export const root = fileURLToPath(new URL('..', import.meta.url));
const packages = join(root, 'node_modules');
const packagesStamp = join(packages, '.waterhammer-lock');
const built = join(root, 'dist');
const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js');

/** A step of the set-up that failed; the message is for the user. */
export class SetupError extends Error {}

/** Brings everything up to date that `waterhammer` runs. */
export async function prepare() {
  await ensurePackages();
  await ensureProgram();
}

export async function ensurePackages() {
  if (packagesAreFresh()) {
    return;
  }
  // `npm ci` empties the folder first: through a link, that of another checkout.
  if (lstatSync(packages, { throwIfNoEntry: false })?.isSymbolicLink()) {
    throw new SetupError(`${packages} is a link, and does not fit package-lock.json: not touched`);
  }
  say('installing packages (npm ci)');
  const options = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  const npm = process.env.npm_execpath;
  const code = npm
    ? await runToStderr(process.execPath, [npm, ...options])
    : await runToStderr('npm', options);
  if (code !== 0) {
    throw new SetupError('`npm ci` failed: see its message above');
  }
  writeFileSync(packagesStamp, lockFingerprint());
}

/** dist/bin and dist/web. */
export async function ensureProgram() {
  const without = compileSockets();
  if (without !== null)
    process.stderr.write(`waterhammer: native sockets are left out: ${without}\n`);
  await whenOutdated('program', async () => {
    await runBuild([vite, 'build', '--config', 'program.config.ts']);
    await runBuild([vite, 'build']);
  });
}

/** The rest of dist/: each module of src/ with its types, as package.json exports them. */
export async function ensureModules() {
  await whenOutdated('modules', async () => {
    const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    await runBuild([compiler, '-p', 'tsconfig.build.json']);
    removeLeftovers(built);
  });
}

async function whenOutdated(what, build) {
  const stamp = join(built, `.waterhammer-${what}`);
  const fingerprint = sourcesFingerprint();
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === fingerprint) {
    return;
  }
  say(`building the ${what}`);
  await build();
  writeFileSync(stamp, fingerprint);
}

async function runBuild(options) {
  if ((await runToStderr(process.execPath, options)) !== 0) {
    throw new SetupError('the build failed: see the messages above');
  }
}

function packagesAreFresh() {
  const written = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(written)) {
    return false;
  }
  if (existsSync(packagesStamp) && readFileSync(packagesStamp, 'utf8') === lockFingerprint()) {
    return true;
  }
  return statSync(written).mtimeMs >= statSync(join(root, 'package-lock.json')).mtimeMs;
}

function lockFingerprint() {
  return createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
}

function sourcesFingerprint() {
  const hash = createHash('sha256');
  const settings = ['tsconfig.json', 'tsconfig.build.json', 'program.config.ts', 'vite.config.ts'];
  const fixed = ['package-lock.json', ...settings];
  const folders = ['src', 'web'].flatMap((name) => filesBelow(join(root, name)));
  for (const path of [...fixed.map((name) => join(root, name)), ...folders]) {
    const { size, mtimeMs } = statSync(path);
    hash.update(`${relative(root, path)} ${size} ${mtimeMs}\n`);
  }
  return hash.digest('hex');
}

/** Deletes what was built from sources that are no longer there: nobody may import it. */
function removeLeftovers(folder) {
  for (const path of filesBelow(folder)) {
    const name = relative(folder, path);
    if (name.startsWith(`web${sep}`) || name.startsWith(`bin${sep}`)) {
      continue;
    }
    const module = /^(.*)(\.d\.ts|\.js|\.js\.map)$/.exec(name);
    if (module && !existsSync(join(root, 'src', `${module[1]}.ts`))) {
      rmSync(path);
    }
  }
}

function filesBelow(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        return filesBelow(path);
      }
      return entry.name.endsWith('.test.ts') ? [] : [path];
    });
}

function say(what) {
  process.stderr.write(`waterhammer: ${what} ...\n`);
}

function runToStderr(command, options) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, options, { cwd: root, stdio: ['ignore', 2, 2] });
    child.on('error', (error) => reject(new SetupError(`${command}: ${error.message}`)));
    child.on('close', (code) => resolve(code ?? 1));
  });
}
