/** The package's version, read from package.json beside the build. */
import { readFileSync } from 'node:fs';

interface Package {
  readonly version: string;
}

const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
const parsed: Package = JSON.parse(text);

export const version: string = parsed.version;
