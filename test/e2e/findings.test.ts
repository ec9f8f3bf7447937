/**
 * Every rule has a pair of topologies that differ in one setting: one shows the finding, the
 * other does not. The documents are in examples/findings, each with its cure in its header.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Summary } from '../../src/model/summary.ts';
import { projectRoot, runCli } from '../support/run-cli.ts';
import { tempFolder } from '../support/temp-folder.ts';

const CURES = [
  ['slot-hoarding', 'queue.reclaim=idle-yield'],
  ['multiplication', 'apigw.nodes=1'],
  ['invisible-starvation', 'nlb.healthCheck.hop=queue'],
  ['retry-amplification', 'clients.retry.attemptsMax=1'],
  ['uneven-hosts', 'nlb.algorithm=round-robin'],
  ['timeout-ladder', 'apigw.pool.idleTimeout=4s'],
  ['connection-per-request', 'nginx.upstreamIdleMax=32'],
] as const;

function document(finding: string): string {
  return path.join(projectRoot, 'examples', 'findings', `${finding}.yaml`);
}

async function kinds(args: readonly string[]): Promise<string[]> {
  const result = await runCli(['run', ...args, '--json']);
  expect(result.code, result.stderr).toBe(0);
  const summary: Summary = JSON.parse(result.stdout);
  expect(summary.balanced).toBe(true);
  for (const finding of summary.findings) {
    expect(finding.title).toMatch(/\d/);
    expect(finding.remedy).not.toBe('');
    expect(Object.keys(finding.evidence)).not.toEqual([]);
  }
  return summary.findings.map((finding) => finding.kind);
}

describe('findings', () => {
  it.each(CURES)('%s appears, and goes with --set %s', async (finding, cure) => {
    const file = document(finding);
    expect(readFileSync(file, 'utf8')).toContain(cure);
    // Side by side: both wait for nearly all of the time.
    const [shown, cured] = await Promise.all([kinds([file]), kinds([file, '--set', cure])]);
    expect(shown).toContain(finding);
    expect(cured).not.toContain(finding);
  });

  it('first-mover appears with a fault, and not in calm', async () => {
    const file = document('first-mover');
    using folder = tempFolder();
    const calm = path.join(folder.path, 'calm.yaml');
    const text = readFileSync(file, 'utf8');
    writeFileSync(calm, text.slice(0, text.indexOf('timeline:')));
    const [shown, quiet] = await Promise.all([kinds([file]), kinds([calm])]);
    expect(shown).toContain('first-mover');
    expect(quiet).not.toContain('first-mover');
  });
});
