/** Builds the modules that package.json exports, and has publint judge the whole package. */
import './node-version.mjs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const { ensureModules, root } = await import('./setup.mjs');
await ensureModules();
const publint = join(root, 'node_modules', 'publint', 'src', 'cli.js');
const options = { cwd: root, stdio: 'inherit' };
process.exitCode = spawnSync(process.execPath, [publint, '--strict'], options).status ?? 1;
