/**
 * "Did you mean": the nearest of the known names by edit distance (insertions, deletions,
 * substitutions, neighbours swapped), if it is near enough to be a slip of the fingers.
 */

const NAME_LENGTH_MAX = 60;

/** The known name nearest to `given`, or null if none is near. Ties go to the first. */
export function nearest(given: string, known: Iterable<string>): string | null {
  if (given.length > NAME_LENGTH_MAX) return null;
  const lower = given.toLowerCase();
  let best: string | null = null;
  let bestDistance = Math.max(1, Math.floor(given.length / 3)) + 1;
  for (const name of known) {
    const distance = editDistance(lower, name.toLowerCase());
    if (distance < bestDistance) {
      best = name;
      bestDistance = distance;
    }
  }
  return best;
}

/** `did you mean "x"?` or null. */
export function didYouMean(given: string, known: Iterable<string>): string | null {
  const name = nearest(given, known);
  return name === null ? null : `did you mean "${name}"?`;
}

/** The nearest name, or else all of them: for short lists, where the reader wants to choose. */
export function didYouMeanOr(given: string, known: readonly string[], label: string): string {
  return didYouMean(given, known) ?? `${label}: ${known.length === 0 ? 'none' : known.join(', ')}`;
}

function editDistance(a: string, b: string): number {
  if (b.length > NAME_LENGTH_MAX) return Number.POSITIVE_INFINITY;
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min(row[j - 1]! + 1, rows[i - 1]![j]! + 1, rows[i - 1]![j - 1]! + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, rows[i - 2]![j - 2]! + 1);
      }
      row.push(least);
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}
