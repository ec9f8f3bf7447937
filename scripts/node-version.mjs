/**
 * Refuses to go on with a Node that is too old, in words instead of with a syntax error.
 * Imported first, and only in old syntax, so that an old Node gets as far as this message. The
 * needed version stands once, in package.json ("engines").
 */
import { readFileSync } from 'node:fs';

const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const needed = manifest.engines.node.replace('>=', '');

function isOlder(have, want) {
  const a = have.split('.').map(Number);
  const b = want.split('.').map(Number);
  for (let index = 0; index < b.length; index += 1) {
    if ((a[index] || 0) !== b[index]) {
      return (a[index] || 0) < b[index];
    }
  }
  return false;
}

if (isOlder(process.versions.node, needed)) {
  process.stderr.write(
    `waterhammer needs Node ${needed} or newer; this is ${process.versions.node}.\n`,
  );
  process.exit(2);
}
