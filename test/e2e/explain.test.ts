/** `waterhammer explain` as a user has it: text, JSON, every example, mistakes. */
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { explain } from '../../src/cli/explain.ts';
import { captured } from '../support/captured.ts';
import { runCli } from '../support/run-cli.ts';

interface Printed {
  readonly simulation: { readonly seeds: number } | null;
  readonly answers: readonly {
    readonly at: string;
    readonly quantity: string;
    readonly value: number | boolean | null;
    readonly standing: string;
    readonly formula: string;
    readonly source: string;
    readonly remark: string | null;
    readonly simulated: { readonly mean: number; readonly inside: boolean | null } | null;
  }[];
}

async function explained(...args: readonly string[]): Promise<Printed> {
  const result = await runCli(['explain', ...args, '--json']);
  expect(result).toMatchObject({ code: 0 });
  return JSON.parse(result.stdout) as Printed;
}

/** The command in this process: two dozen of their own would cost as much as all the rest. */
async function explainedHere(file: string): Promise<Printed> {
  const options = { set: [], scale: 1, timeScale: 1, seeds: 5, simulate: false, json: true };
  const { code, stdout, stderr } = await captured(() => explain(file, options));
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout) as Printed;
}

const EXAMPLES = ['examples', 'examples/findings'].flatMap((folder) =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => `${folder}/${name}`),
);

describe('waterhammer explain', () => {
  it('answers for the smallest chain, and the simulator agrees', async () => {
    const { answers, simulation } = await explained('examples/direct.yaml', '--duration', '30s');
    expect(simulation).toMatchObject({ seeds: 5 });
    const rate = answers.find(({ quantity }) => quantity === 'requestsPerSecond');
    expect(rate).toMatchObject({ at: 'clients', standing: 'exact', simulated: { inside: true } });
    expect(rate?.value).toBeCloseTo(10 / 0.105, 9);
    expect(rate?.source).not.toBe('');
  });

  it('prints the formulas by number, and what is not known with its reason', async () => {
    const { code, stdout } = await runCli([
      'explain',
      'examples/golden-connections.yaml',
      '--no-simulate',
    ]);
    expect(code).toBe(0);
    expect(stdout).toContain('a stuck state exists');
    expect(stdout).toContain('lasting connections > slots');
    expect(stdout).toContain('Not known, and why:');
    expect(stdout).not.toContain('NaN');
  });

  it('asks the simulator nothing of a queue that is full from the first second', async () => {
    const { answers } = await explained('examples/golden-connections.yaml', '--duration', '20s');
    const of = (quantity: string) => answers.find((one) => one.quantity === quantity);
    // It would see the 15 that are there, and no stall can take what is taken.
    expect(of('slotsNeeded')).toMatchObject({ value: 60, standing: 'exact', simulated: null });
    expect(of('stallThatFillsSlotsSeconds')).toMatchObject({ value: null, standing: 'unknown' });
    expect(of('stuckStateExists')).not.toHaveProperty('stalls');
  });

  it.each(EXAMPLES)('has an answer or a reason for everything in %s', async (file) => {
    const { answers, simulation } = await explainedHere(file);
    expect(simulation).toBeNull();
    expect(answers.length).toBeGreaterThan(2);
    for (const { at, quantity, value, standing, formula, source, remark } of answers) {
      const what = `${at} ${quantity}`;
      if (value === null) expect(remark, what).toBeTruthy();
      else expect([formula, source], what).not.toContain('');
      expect(['exact', 'approximation', 'bound', 'unknown'], what).toContain(standing);
    }
  });

  it('refuses bad input with exit code 2, all of it at once', async () => {
    const set = ['--set', 'app.serviceTimes=5ms', '--set', 'clients.count=-1'];
    const wrong = await runCli(['explain', 'examples/direct.yaml', ...set]);
    expect(wrong).toMatchObject({ code: 2, stdout: '' });
    expect(wrong.stderr).toContain('serviceTime');
    expect(wrong.stderr).toContain('count');
    expect((await runCli(['explain', 'examples/nothing-here.yaml'])).code).toBe(2);
    expect((await runCli(['explain', 'examples/direct.yaml', '--seeds', '1'])).code).toBe(2);
  });
});
