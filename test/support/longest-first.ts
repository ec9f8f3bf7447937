/**
 * Order of test files: those that take longest begin, so that at the end no worker is left alone
 * with one. (vitest knows durations from its last run only, and a fresh clone has none.)
 */
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Parts of paths, the longest first; all others follow in vitest's order. */
const LONGEST = [
  ...['e2e/limits', 'e2e/page', 'e2e/findings', 'e2e/faults', 'e2e/examples', 'e2e/lab'],
  ...['e2e/golden', 'e2e/simulate', 'e2e/ending', 'e2e/control', 'e2e/report'],
  ...['sim/meters', 'theory/sceptic', 'theory/choices', 'theory/flows', 'theory/networks'],
  ...['theory/stations', 'style/architecture', 'theory/explain', 'theory/even'],
];

function rank({ moduleId }: TestSpecification): number {
  const found = LONGEST.findIndex((part) => moduleId.includes(`/${part}`));
  return found === -1 ? LONGEST.length : found;
}

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.sort((a, b) => rank(a) - rank(b));
  }
}
