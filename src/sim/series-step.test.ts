/**
 * A day is kept in rows of a minute. They must be what its seconds add up to: counts their sums,
 * gauges the last of them, and the summary the same.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import type { SecondRow } from '../measure/rows.ts';
import type { Measured } from '../measure/strike.ts';
import { parseTopology } from '../topology/index.ts';
import { Simulation } from './simulation.ts';

const INCIDENT = fileURLToPath(new URL('../../examples/incident.yaml', import.meta.url));
const GAUGES = new Set(['open', 'active', 'held', 'yielded', 'waiting', 'pending']);
const COUNTS = new Set(['opened', 'closed', 'exchanges', 'sent', 'ok', 'granted', 'requests']);

function measured(secondsPerRow: number): { summary: Measured; rows: readonly SecondRow[] } {
  const parsed = parseTopology(readFileSync(INCIDENT, 'utf8'), INCIDENT, {
    set: ['duration=150s'],
    scale: 1,
    timeScale: 1,
  });
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  const rows: SecondRow[] = [];
  const simulation = new Simulation({
    topology: parsed.topology,
    topologyHash: '',
    version: '',
    seed: 5,
    recorder: null,
    onSecond: (row) => rows.push(row),
    secondsPerRow,
  });
  while (!simulation.step(100_000));
  simulation.finish();
  const summary = simulation.measured();
  expect([...simulation.rows()], 'the rows can be gone through again').toEqual(rows);
  return { summary, rows };
}

it.each([10, 60])('rows of %i s are what the seconds add up to', (step) => {
  const fine = measured(1);
  const coarse = measured(step);
  expect(coarse.summary).toEqual(fine.summary);
  let compared = 0;
  for (const { second, scope, measure, value } of coarse.rows) {
    if (!GAUGES.has(measure) && !COUNTS.has(measure)) continue;
    const within = fine.rows.filter(
      (row) =>
        row.scope === scope &&
        row.measure === measure &&
        row.second >= second &&
        row.second < second + step,
    );
    const values = within.map((row) => row.value ?? 0);
    const expected = COUNTS.has(measure)
      ? values.reduce((sum, one) => sum + one, 0)
      : values.at(-1);
    expect(value, `${scope} ${measure} from second ${second}`).toBe(expected);
    compared += 1;
  }
  expect(compared).toBeGreaterThan(50);
});
