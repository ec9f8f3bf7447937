/** A run whose log is of interest beside its summary. */
import { expect } from 'vitest';
import type { Summary } from '../../src/model/summary.ts';
import { type CliOptions, type CliResult, runCli } from '../support/run-cli.ts';
import { expectClean } from './pipelines.ts';

export interface Outcome {
  readonly summary: Summary;
  readonly stderr: string;
}

/** Runs to a good end, whatever was wrong on the way: the books balance and nothing is left. */
export async function outcomeOf(
  args: readonly string[],
  options: CliOptions = {},
): Promise<Outcome> {
  const result = await runCli(['run', ...args, '--json', '--verbose'], options);
  expect(result.code, result.stderr).toBe(0);
  return balanced(result);
}

export function balanced(result: CliResult): Outcome {
  const { stdout, stderr } = result;
  expectClean(result);
  // A defect of ours shows its stack.
  expect(stderr).not.toMatch(/^\s+at .*:\d+:\d+\)?$/m);
  const summary: Summary = JSON.parse(stdout);
  expect(summary.imbalances.filter((one) => !one.explained)).toEqual([]);
  expect(summary.balanced).toBe(true);
  return { summary, stderr };
}
