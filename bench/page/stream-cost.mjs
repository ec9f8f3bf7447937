/**
 * CPU time of a live run per request: with a page that reads its stream, and without a page, in
 * turns. The reader is this process, whose own CPU time does not count.
 */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MAIN, median, ROOT, spread, table } from '../bench.mjs';
import { OWN_CHAIN_RATE, ownChain } from '../own-chain.mjs';
import { endsWithUs } from '../processes.mjs';
import { verdict } from './bench-of-page.mjs';

const RATIO_MAX = 1.05;

export async function streamCost(bench, { pairs, seconds }) {
  const file = join(bench.scratch, 'stream-cost.json');
  writeFileSync(file, JSON.stringify(ownChain));
  const args = ['run', file, '--duration', `${seconds}s`, '--json'];
  const found = [[], []];
  for (let pair = 0; pair < pairs; pair++) {
    // Who goes first changes with each pair: a drift of the machine must not favour one.
    for (const one of pair % 2 === 0 ? [0, 1] : [1, 0]) {
      const { summary, bytesRead } = await run([...args, one === 0 ? '--page' : '--no-page']);
      if (one === 0 && bytesRead === 0) throw new Error('nothing was told while the run went on');
      found[one].push(microsPerRequest(summary));
      const watched =
        one === 0 ? `watched: ${(bytesRead / 1e6).toFixed(1)} MB read` : 'not watched';
      process.stderr.write(`pair ${pair + 1}, ${watched}\n`);
    }
  }
  const ratios = found[0].map((cost, pair) => cost / found[1][pair]);
  const rows = [
    ['a page reads the stream', spread(found[0])],
    ['no page', spread(found[1])],
  ];
  return (
    `${pairs} pairs of ${seconds} s in turns, ${OWN_CHAIN_RATE} requests/s ` +
    `through the whole ` +
    `chain of our own hops.\n\n${table(['case', 'CPU us per request'], rows)}\n\n` +
    `Ratio ${spread(ratios, 3)}; at most ${RATIO_MAX}: ${verdict(median(ratios), RATIO_MAX)}.`
  );
}

/** Reads the stream, where one is offered, to its end. */
function run(args) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [MAIN, ...args], { cwd: ROOT });
    endsWithUs(child);
    let [output, errors, bytesRead] = ['', '', 0];
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    child.stderr.on('data', (chunk) => {
      const [, address] = /(http:\S+)/.exec(errors) ?? [];
      errors += chunk;
      const [, now] = /(http:\S+)\n/.exec(errors) ?? [];
      if (address !== undefined || now === undefined) return;
      read(now, (bytes) => {
        bytesRead += bytes;
      }).catch(reject);
    });
    child.once('close', (code) => {
      if (code === 0) resolve({ summary: JSON.parse(output), bytesRead });
      else reject(new Error(`${args.join(' ')}: ${errors.slice(-2_000)}`));
    });
  });
}

async function read(address, onBytes) {
  const { origin, hash } = new URL(address);
  const headers = { 'x-waterhammer-token': hash.slice(1) };
  const { body } = await fetch(`${origin}/api/runs/0/events`, { headers });
  for await (const chunk of body) onBytes(chunk.length);
}

/** Workers and supervisor; there are no foreign programs. */
function microsPerRequest({ processes, lab }) {
  const cpuSeconds = processes.reduce((sum, one) => sum + one.cpuSeconds, 0);
  const requests = lab.load.reduce((sum, one) => sum + one.requests, 0);
  return (cpuSeconds * 1e6) / requests;
}
