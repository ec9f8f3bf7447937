/**
 * What do the books and the live table cost while a run goes on? The incident's chain, all of it
 * our own hops, at a steady rate: with the default recording, and without any event (`--no-books`,
 * which also sends no ticks), in turns. The figure is CPU time of all our processes per request
 * issued; the recording's conversion comes after the load and is no part of it.
 *
 *   node bench/recording.mjs [pairs] [seconds]
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { median, report, run, spread, table } from './bench.mjs';
import { OWN_CHAIN_RATE, ownChain } from './own-chain.mjs';

const PAIRS = Number(process.argv[2] ?? 5);
/** What V8 compiles in the first seconds of a run would count as the cost of recording. */
const SECONDS = Number(process.argv[3] ?? 20);
const TARGET = 1.05;

const folder = mkdtempSync(join(tmpdir(), 'waterhammer-bench-'));
try {
  const file = join(folder, 'chain.yaml');
  writeFileSync(file, JSON.stringify(ownChain));
  const args = [file, '--duration', `${SECONDS}s`];
  const cases = [
    ['default recording, live table', (round) => ['--record', join(folder, `rec-${round}`)]],
    ['no events, no ticks', () => ['--no-books']],
  ];
  const found = cases.map(() => []);
  for (let round = 0; round < PAIRS; round++) {
    // Who goes first changes with each pair: a drift of the machine must not favour one.
    const order = round % 2 === 0 ? [0, 1] : [1, 0];
    for (const one of order) {
      const summary = await run([...args, ...cases[one][1](round)]);
      found[one].push(microsPerRequest(summary));
      process.stderr.write(`pair ${round + 1}, ${cases[one][0]}: ${found[one][round]} us\n`);
    }
    rmSync(join(folder, `rec-${round}`), { recursive: true, force: true });
  }
  const ratios = found[0].map((cost, round) => cost / found[1][round]);
  const rows = cases.map(([name], one) => [name, spread(found[one])]);
  const verdict = median(ratios) <= TARGET ? 'met' : 'MISSED';
  report(
    'Recording and live table',
    `${PAIRS} pairs of ${SECONDS} s in turns, ${OWN_CHAIN_RATE} requests/s through the whole ` +
      `chain of our ` +
      `own hops; median (min .. max).\n\n${table(['case', 'CPU us per request'], rows)}\n\n` +
      `Ratio ${spread(ratios, 3)}; at most ${TARGET}: ${verdict}.`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Workers and supervisor; there are no foreign programs. */
function microsPerRequest({ processes, lab }) {
  const cpuSeconds = processes.reduce((sum, one) => sum + one.cpuSeconds, 0);
  const requests = lab.load.reduce((sum, one) => sum + one.requests, 0);
  return (cpuSeconds * 1e6) / requests;
}
