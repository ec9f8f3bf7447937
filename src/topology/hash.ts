/**
 * A short name for what was run: FNV-1a (64 bits) over canonical JSON (keys sorted, no spaces)
 * of the resolved topology, so that two documents that mean the same get the same hash, however
 * they are written. It tells topologies apart; it is no protection against forgery.
 * FNV: draft-eastlake-fnv; bytes are the UTF-16 code units, low byte first.
 */
import type { Topology } from '../model/topology.ts';

const OFFSET = 0xcbf29ce484222325n;
const PRIME = 0x100000001b3n;
const MASK = 0xffffffffffffffffn;

/** 16 hexadecimal digits. */
export function topologyHash(topology: Topology): string {
  return fnv1a64(canonicalJson(topology));
}

export function fnv1a64(text: string): string {
  let hash = OFFSET;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    hash = ((hash ^ BigInt(unit & 255)) * PRIME) & MASK;
    hash = ((hash ^ BigInt(unit >>> 8)) * PRIME) & MASK;
  }
  return hash.toString(16).padStart(16, '0');
}

/** JSON with sorted keys; entries that are undefined are left out. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value ?? null);
  const entries = Object.entries(value)
    .filter(([, one]) => one !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, one]) => `${JSON.stringify(key)}:${canonicalJson(one)}`);
  return `{${entries.join(',')}}`;
}
