/**
 * What a program that is not ours cannot do: a setting that asks it of nginx or HAProxy is an
 * error, because a run that silently did something else would mislead. Only what a document
 * itself says is refused; defaults that a program does not have are told in the catalog.
 */
import type { HopKind } from '../model/topology.ts';
import type { OutlineHop, Report } from './outline.ts';
import { entry } from './raw.ts';

interface Limit {
  readonly kind: HopKind;
  readonly implementation: string;
  readonly setting: readonly string[];
  /** The only value that the program can have. */
  readonly only: string | number;
  readonly why: string;
}

const LIMITS: readonly Limit[] = [
  ...(['edge', 'gateway'] as const).flatMap((kind): Limit[] => [
    {
      kind,
      implementation: 'nginx',
      setting: ['pool', 'reuse'],
      only: 'lifo',
      why: 'nginx reuses the idle connection that was used last',
    },
    {
      kind,
      implementation: 'nginx',
      setting: ['pool', 'connectionsMax'],
      only: 0,
      why: 'nginx has no requests wait for a connection',
    },
  ]),
  {
    kind: 'connection-queue',
    implementation: 'haproxy',
    setting: ['reclaim'],
    only: 'none',
    why: 'HAProxy never takes a slot back',
  },
  {
    kind: 'connection-queue',
    implementation: 'haproxy',
    setting: ['order'],
    only: 'fifo',
    why: 'HAProxy serves held connections in the order in which they came',
  },
];

export function checkImplementation(hop: OutlineHop, report: Report): void {
  const implementation = entry(hop.raw, 'implementation');
  for (const limit of LIMITS) {
    if (limit.kind !== hop.kind || limit.implementation !== implementation) continue;
    let value: unknown = hop.raw;
    for (const name of limit.setting) value = entry(value, name);
    if (value === undefined || value === null || value === limit.only) continue;
    report(
      ['hops', hop.index, ...limit.setting],
      limit.why,
      `write ${limit.only}, or implementation: builtin`,
    );
  }
}
