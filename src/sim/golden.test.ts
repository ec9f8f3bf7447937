/** Node 24 runs this too (scripts/node24.mjs); Chromium: test/e2e/chromium.test.ts. */
import { expect, it } from 'vitest';
import { fingerprint } from './fingerprint.ts';
import { GOLDEN, GOLDEN_SEED, goldenTopology } from './golden.case.ts';

it.each(GOLDEN)('%s %o gives what it always gave', (file, set, expected) => {
  expect(fingerprint(goldenTopology(file, set), GOLDEN_SEED)).toBe(expected);
});
