/**
 * What the end-to-end tests share: small topologies, written as documents in a temporary folder
 * (JSON is YAML), and runs of the built command line over them. Every run is held to the same
 * promise: it ends as expected, says no error, and leaves neither process nor file behind.
 */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';
import type { Summary } from '../../src/model/summary.ts';
import { type CliResult, runCli } from '../support/run-cli.ts';

export type HopDocument = Readonly<Record<string, unknown>>;

export interface TopologyDocument {
  readonly name: string;
  readonly duration?: string;
  readonly hops: readonly HopDocument[];
  readonly hosts?: readonly HopDocument[];
  readonly timeline?: readonly HopDocument[];
}

/** Users that ask, wait for the answer, think, and ask again. */
export function users(count: number, thinkTime: string, more: HopDocument = {}): HopDocument {
  const workload = { kind: 'closed', thinkTime, startWithin: '200ms' };
  return { name: 'clients', kind: 'clients', count, timeout: '60s', workload, ...more };
}

/** The incident's chain at a size that starts in a second; `more` adds settings by hop. */
export function incident(more: Readonly<Record<string, HopDocument>> = {}): TopologyDocument {
  const hop = (name: string, kind: string, settings: HopDocument = {}): HopDocument => ({
    name,
    kind,
    ...settings,
    ...more[name],
  });
  const healthCheck = { interval: '500ms', timeout: '400ms', healthyThreshold: 2 };
  return {
    name: 'chain',
    duration: '4s',
    hops: [
      { ...users(12, '50ms'), ...more.clients },
      hop('cdn', 'edge'),
      hop('apigw', 'gateway', { nodes: 3 }),
      hop('nlb', 'l4-balancer', { healthCheck }),
      hop('queue', 'connection-queue', { reclaim: 'idle-yield' }),
      hop('nginx', 'web-server'),
      hop('app', 'app', { serviceTime: '2ms' }),
      hop('db', 'database'),
    ],
    hosts: [{ name: 'ec2', count: 2, hops: ['queue', 'nginx', 'app'] }],
  };
}

export function writeTopology(folder: string, document: TopologyDocument): string {
  const file = path.join(folder, `${document.name}.yaml`);
  writeFileSync(file, JSON.stringify(document, null, 2));
  return file;
}

/** Runs to a good end and returns the summary that --json prints. */
export async function summaryOf(args: readonly string[]): Promise<Summary> {
  const result = await runCli(['run', ...args, '--json']);
  expect(result.stderr).not.toMatch(/error/i);
  expectClean(result);
  const summary: Summary = JSON.parse(result.stdout);
  expect(summary.imbalances.filter((one) => !one.explained)).toEqual([]);
  expect(summary.balanced).toBe(true);
  expect(result.code).toBe(0);
  return summary;
}

export function expectClean(result: CliResult): void {
  expect(result.orphans).toEqual([]);
  expect(result.leftInTemp).toEqual([]);
}

/** The only element of a list that must have one. */
export function only<T>(list: readonly T[]): T {
  const [first] = list;
  expect(list).toHaveLength(1);
  if (first === undefined) throw new Error('the list is empty');
  return first;
}

/** The link of that name. */
export function linkOf(summary: Pick<Summary, 'links'>, name: string): Summary['links'][number] {
  const link = summary.links.find((one) => one.name === name);
  if (link === undefined) throw new Error(`no link ${name}`);
  return link;
}
