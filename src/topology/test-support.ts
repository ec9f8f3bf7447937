/** For tests of this folder: a short chain, and what the parser says about changes to it. */
import type { Hop, HopKind, Topology } from '../model/topology.ts';
import { type ParseOptions, parseTopology } from './parse.ts';
import { formatProblems, type Problem } from './problem.ts';

export const AS_WRITTEN: ParseOptions = { set: [], scale: 1, timeScale: 1 };

export const CHAIN = `name: chain
hops:
  - name: clients
    kind: clients
  - name: apigw
    kind: gateway
  - name: nlb
    kind: l4-balancer
  - name: queue
    kind: connection-queue
  - name: nginx
    kind: web-server
  - name: app
    kind: app
  - name: db
    kind: database
hosts:
  - { name: ec2, count: 3, hops: [queue, nginx, app] }
`;

export function topologyOf(text: string, options: Partial<ParseOptions> = {}): Topology {
  const parsed = parseTopology(text, 'chain.yaml', { ...AS_WRITTEN, ...options });
  if ('problems' in parsed) throw new Error(formatProblems(parsed.problems));
  return parsed.topology;
}

export function problemsOf(text: string, options: Partial<ParseOptions> = {}): readonly Problem[] {
  const parsed = parseTopology(text, 'chain.yaml', { ...AS_WRITTEN, ...options });
  if (!('problems' in parsed)) throw new Error('nothing was found wrong');
  return parsed.problems;
}

/** `line:column message` of each problem. */
export function placesOf(text: string, options: Partial<ParseOptions> = {}): string[] {
  return problemsOf(text, options).map((one) => `${one.line}:${one.column} ${one.message}`);
}

export function hopOf<K extends HopKind>(topology: Topology, kind: K): Extract<Hop, { kind: K }> {
  const isKind = (hop: Hop): hop is Extract<Hop, { kind: K }> => hop.kind === kind;
  const hop = topology.hops.find(isKind);
  if (hop === undefined) throw new Error(`no ${kind}`);
  return hop;
}
