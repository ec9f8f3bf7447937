/**
 * `npm start`: set up what is missing, then run `waterhammer demo` with the given arguments.
 *
 * The command line runs in this very process, not in a child: its exit code and the signals
 * it gets need no forwarding. For the same reason package.json says `exec node`: the shell that
 * npm puts in between would die of a SIGTERM without passing it on. On Ctrl-C the terminal
 * signals the whole group and npm passes SIGINT on as well, so a program under npm may see one
 * keystroke as two signals within milliseconds.
 *
 * Only the job writes to stdout. npm itself prints a banner there first, so a machine that
 * reads `--json` calls `npm start --silent -- --json`.
 */
import './node-version.mjs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const { prepare, root, SetupError } = await import('./setup.mjs');
try {
  await prepare();
} catch (error) {
  if (!(error instanceof SetupError)) {
    throw error;
  }
  process.stderr.write(`waterhammer: ${error.message}\n`);
  process.exit(1);
}

const main = join(root, 'dist', 'bin', 'main.js');
process.argv = [process.execPath, main, 'demo', ...process.argv.slice(2)];
await import(pathToFileURL(main).href);
