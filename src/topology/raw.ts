/** Looking into and changing plain values of which nothing is known yet. */
import type { Path } from './document.ts';

export type RawMap = Readonly<Record<string, unknown>>;

export function isRawMap(value: unknown): value is RawMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An own entry of a map; undefined for anything else. */
export function entry(holder: unknown, key: string): unknown {
  return isRawMap(holder) && Object.hasOwn(holder, key) ? holder[key] : undefined;
}

export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

export function valueAt(raw: unknown, path: Path): unknown {
  let here = raw;
  for (const segment of path) {
    here = typeof segment === 'number' ? list(here)[segment] : entry(here, segment);
  }
  return here;
}

/** A copy of `raw` with the value at the path replaced; maps on the way are made if missing. */
export function withValue(raw: unknown, path: Path, value: unknown): unknown {
  const [segment, ...rest] = path;
  if (segment === undefined) return value;
  if (typeof segment === 'number') {
    return list(raw).map((one, index) => (index === segment ? withValue(one, rest, value) : one));
  }
  const present = isRawMap(raw) ? raw : {};
  return { ...present, [segment]: withValue(entry(present, segment), rest, value) };
}
