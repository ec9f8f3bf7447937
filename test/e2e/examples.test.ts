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

  it.for(files)('%s runs and balances', async (name, context) => {
    for (const program of NEEDS[name] ?? []) requireProgram(program, context);
    const args = [`examples/${name}`, '--duration', '1500ms', ...(SCALED[name] ?? [])];
    const summary = await summaryOf(args);
    const sent = summary.clients.reduce((sum, group) => sum + group.requests.sent, 0);
    expect(sent).toBeGreaterThan(0);
    expect(summary.links.length).toBeGreaterThan(0);
  });
});
