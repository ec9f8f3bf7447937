/** Every example runs as it is, leaves nothing behind, and its books balance. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../support/run-cli.ts';
import { type Program, requireProgram } from '../support/skips.ts';
import { summaryOf } from './pipelines.ts';

const files = readdirSync(path.join(projectRoot, 'examples')).filter((name) =>
  name.endsWith('.yaml'),
);
/** Golden-connections.test.ts runs these as they are, for longer, by the same `summaryOf`. */
const ELSEWHERE = ['golden-connections.yaml', 'golden-no-queue.yaml'];
/** What does not fit a small machine as it is. */
const SCALED: Readonly<Record<string, readonly string[]>> = {
  'aws-2021.yaml': ['--scale', '0.03'],
  'aws-2021-database-spike.yaml': ['--scale', '0.03'],
  'aws-2021-nodes-replaced.yaml': ['--scale', '0.03'],
  'aws-2021-slow-burst.yaml': ['--scale', '0.03'],
  'aws-2021-throttled.yaml': ['--scale', '0.03'],
};

/** Programs that an example runs. */
const NEEDS: Readonly<Record<string, readonly Program[]>> = {
  'peer-chain.yaml': ['nginx', 'haproxy', 'mariadbd'],
};

describe('examples', () => {
  it('are there', () => {
    expect(files).toContain('aws-2021.yaml');
    expect(files.length).toBeGreaterThanOrEqual(6);
  });
});

/** Two at a time: they wait for most of it. */
describe.each(pairsOf(files.filter((name) => !ELSEWHERE.includes(name))))('examples', (...pair) => {
  it.concurrent.for(pair)('%s runs and balances', async (name, context) => {
    for (const program of NEEDS[name] ?? []) requireProgram(program, context);
    const args = [`examples/${name}`, '--duration', '1500ms', ...(SCALED[name] ?? [])];
    const summary = await summaryOf(args);
    const sent = summary.clients.reduce((sum, group) => sum + group.requests.sent, 0);
    expect(sent).toBeGreaterThan(0);
    expect(summary.links.length).toBeGreaterThan(0);
  });
});

function pairsOf(names: readonly string[]): string[][] {
  return names.flatMap((_, index) => (index % 2 === 0 ? [names.slice(index, index + 2)] : []));
}
