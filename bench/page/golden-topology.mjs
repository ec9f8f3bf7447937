/** The golden connections as a resolved topology. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseTopology } from '../../dist/topology/index.js';
import { ROOT } from '../bench.mjs';

const file = join(ROOT, 'examples', 'golden-connections.yaml');
const parsed = parseTopology(readFileSync(file, 'utf8'), file, { set: [], scale: 1, timeScale: 1 });

export const GOLDEN = parsed.topology;
