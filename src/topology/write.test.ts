import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { topologyHash } from './hash.ts';
import { parseTopology } from './parse.ts';
import { topologyDocument } from './write.ts';

const EXAMPLES = fileURLToPath(new URL('../../examples/', import.meta.url));
// Other folders hold what is no topology.
const files = ['', 'findings/']
  .flatMap((folder) => readdirSync(EXAMPLES + folder).map((name) => folder + name))
  .filter((name) => name.endsWith('.yaml'))
  .sort();

function parsed(text: string, scale = 1) {
  const result = parseTopology(text, 'x.yaml', { set: [], scale, timeScale: 1 });
  if ('problems' in result) throw new Error(`${JSON.stringify(result.problems, null, 1)}\n${text}`);
  return result.topology;
}

describe('topology document', () => {
  it.each(files)('%s is written so that it is read as the same topology', (name) => {
    const topology = parsed(readFileSync(`${EXAMPLES}${name}`, 'utf8'));
    const again = parsed(topologyDocument(topology));
    expect(again).toEqual(topology);
    expect(topologyHash(again)).toBe(topologyHash(topology));
  });

  it('writes every action and every kind of value', () => {
    const topology = parsed(`
name: "all: of <it>"
hops:
  - name: a
    kind: clients
    workload: { kind: open, rate: { shape: diurnal, peak: 90/s, trough: 7/s } }
  - { name: g, kind: gateway, nodes: 3 }
  - { name: n, kind: l4-balancer }
  - { name: q, kind: connection-queue }
  - { name: w, kind: web-server }
  - { name: p, kind: app, serviceTime: "lognormal(median 3ms, p99 80ms)" }
  - { name: d, kind: database }
hosts: [{ name: h, count: 3, hops: [q, w, p] }]
timeline:
  - { at: 1s, action: set, path: a.rate, to: 12/s }
  - { at: 1s, action: set, path: q.reclaim, to: idle-yield }
  - { at: 1s, action: set, path: q.activeMax, to: 3 }
  - { at: 2s, action: slow, hop: d, factor: 2.5, lasts: 1500ms, text: "slow: it" }
  - { at: 3s, action: replace-nodes, hop: g, count: 2 }
  - { at: 3s, action: host-down, hosts: h, replica: 2, lasts: 1s }
  - { at: 4s, action: deregister, hosts: h, replica: 1, lasts: 1s }
  - { at: 4s, action: reset-connections, hop: n, share: 0.5 }
  - { at: 5s, action: stop-reading, hop: a, share: 0.5, lasts: 2s }
  - { at: 6s, action: mark, text: "#1" }
faults: stochastic
`);
    expect(parsed(topologyDocument(topology))).toEqual(topology);
  });

  it('leaves out what is a default, and the factors of a scale', () => {
    const text = readFileSync(`${EXAMPLES}golden-connections.yaml`, 'utf8');
    const document = topologyDocument(parsed(text));
    expect(document).toContain('whileHeld: unread');
    expect(document).not.toContain('reclaimAfter');
    const scaled = parsed(readFileSync(`${EXAMPLES}aws-2021.yaml`, 'utf8'), 0.1);
    const applied = { scale: 1, timeScale: 1 };
    expect(parsed(topologyDocument(scaled)).hops).toEqual({ ...scaled, applied }.hops);
  });
});
