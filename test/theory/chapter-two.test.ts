/**
 * The incident's second chapter: an app that writes values into its SQL has as many prepared
 * statements as texts, on each of its connections, until the database has no room for another;
 * and a pool that lets idle connections go makes the number of connections a saw-tooth.
 */
import { expect, it } from 'vitest';
import { isOk, type Lived, live, requestsOf } from './simulated.ts';

/** Two-sided; of a dozen comparisons, one in 30,000 runs of other seeds would fail. */
const SIGMAS = 4.7;

function document(load: string, app: string, db: string, seconds: number): string {
  return `name: chapter-two
duration: ${seconds}s
hops:
  - name: clients
    kind: clients
    count: 10000
    workload: { kind: open, ${load} }
    retry: { attemptsMax: 1 }
  - { name: app, kind: app, serviceTime: 0ms, ${app} }
  - { name: db, kind: database, serviceTime: 2ms, concurrencyMax: 100, ${db} }
`;
}

/** Second by second: those that are open at its end. */
const connections = (lived: Lived): number[] =>
  [...lived.simulation.rows()]
    .filter(({ scope, measure }) => scope === 'link:app->db' && measure === 'open')
    .map(({ value }) => value ?? 0);

/** Requests that the app answered with 500, among those after `from` (s). */
function failedShare(yaml: string, from: number): { share: number; count: number } {
  const late = requestsOf({ yaml, seed: 5 }).filter(({ sentAt }) => sentAt >= from * 1e6);
  const failed = late.filter((one) => !isOk(one));
  expect(failed.every(({ outcome }) => outcome === 500)).toBe(true);
  return { share: failed.length / late.length, count: late.length };
}

it.each([
  [50, 30],
  [8, 3],
  [4_000, 1_000],
])('%i statements of which the database has room for %i: the rest fails', (statements, room) => {
  // On one connection whoever came first is prepared for ever, and nobody else ever is.
  const app = `statements: ${statements}, pool: { max: 1, min: 1 }`;
  const db = `preparedStatementsMax: ${room}`;
  const yaml = document('rate: 200/s', app, db, 200);
  const { share, count } = failedShare(yaml, 100);
  const expected = 1 - room / statements;
  const sigma = Math.sqrt((expected * (1 - expected)) / count);
  expect(Math.abs(share - expected)).toBeLessThan(SIGMAS * sigma);
});

it('fails nobody as long as every connection has room for every statement', () => {
  const app = 'statements: 40, pool: { max: 5, min: 5 }';
  const yaml = (room: number): string =>
    document('rate: 300/s', app, `preparedStatementsMax: ${room}`, 120);
  expect(failedShare(yaml(200), 0).share).toBe(0);
  // One place is missing: one pair of a statement and a connection has none.
  const { share } = failedShare(yaml(199), 60);
  expect(share).toBeGreaterThan(0);
  expect(share).toBeLessThan(1 / 40);
});

it('gets its room back when idle connections are evicted', () => {
  const steps = [100, 0, 100].map((rate, turn) => `{ at: ${turn * 30}s, value: ${rate}/s }`);
  const rate = `rate: { shape: steps, steps: [${steps.join(', ')}] }`;
  const app = 'statements: 20, pool: { max: 1, min: 0, idle: 10s, evict: 1s }';
  const yaml = document(rate, app, 'preparedStatementsMax: 10', 90);
  const requests = requestsOf({ yaml, seed: 5 });
  const firstAnswered = (from: number): number[] =>
    requests
      .filter(({ sentAt }) => sentAt >= from * 1e6 && sentAt < (from + 0.05) * 1e6)
      .map(({ outcome }) => outcome);
  // The first few find room, at the beginning and again on a fresh connection.
  expect(new Set(firstAnswered(0))).toEqual(new Set([200]));
  expect(new Set(firstAnswered(60))).toEqual(new Set([200]));
  expect(requests.filter((one) => one.sentAt < 30e6 && !isOk(one)).length).toBeGreaterThan(1_000);
});

it('saw-tooth: as many connections as queries at once, and gone after idle and a look', () => {
  const [period, busy, idle, evict] = [40, 10, 12, 3];
  const steps = [0, 1, 2].flatMap((turn) => [
    `{ at: ${turn * period}s, value: 2000/s }`,
    `{ at: ${turn * period + busy}s, value: 0/s }`,
  ]);
  const app = `pool: { max: 50, min: 2, idle: ${idle}s, evict: ${evict}s }`;
  const yaml = document(
    `rate: { shape: steps, steps: [${steps.join(', ')}] }`,
    app,
    '',
    3 * period,
  );
  const found = connections(live({ yaml, seed: 1 }));
  for (const turn of [0, 1, 2]) {
    const at = (second: number): number => found[turn * period + second] ?? -1;
    // 2,000 a second for 2 ms are 4 at once, with chance up to three times that.
    const top = Math.max(...found.slice(turn * period + 1, turn * period + busy));
    expect(top).toBeGreaterThanOrEqual(8);
    expect(at(busy + 1)).toBe(top);
    expect(at(busy + idle - 1)).toBeGreaterThan(2);
    expect(at(busy + idle + evict + 1)).toBe(2);
    expect(at(period - 1)).toBe(2);
  }
});
