/** The lab itself, for people: what its processes used, and whether it was the bottleneck. */
import type { ProcessSummary, Summary } from '../model/summary.ts';
import { table } from './table.ts';

function number(value: number | null | undefined, digits: number): string {
  return value === null || value === undefined ? '-' : value.toFixed(digits);
}

function processLine(process: ProcessSummary): string[] {
  const { name, hops, foreign, eventLoopDelayMs: delay, eventLoopUtilisation: busy } = process;
  const own = hops.length === 0 || hops.join() === name ? '' : ` (${hops.join(', ')})`;
  return [
    `${name}${foreign ? ' (foreign)' : own}`,
    number(process.cpuSeconds, 2),
    number(process.cpuMicrosPerRequest, 1),
    number(delay?.p50, 1),
    number(delay?.p99, 1),
    number(delay?.max, 1),
    busy === null ? '-' : `${(busy * 100).toFixed(0)} %`,
  ];
}

/** Empty when the lab was not the bottleneck. */
export function verdictText({ lab }: Pick<Summary, 'lab'>): string {
  if (lab === null || !lab.bottleneck) return '';
  return (
    'THE LAB ITSELF WAS THE BOTTLENECK: the latencies above are those of this machine.\n' +
    lab.because.map((reason) => `  ${reason}\n`).join('')
  );
}

/** Belongs right under the latencies; empty for what no lab ran. */
export function labText({ lab, processes }: Summary): string {
  if (lab === null) return '';
  const head = ['process', 'cpu s', 'us/request', 'loop late p50ms', 'p99ms', 'maxms', 'loop busy'];
  const rest = lab.load.map(
    ({ name, latenessMs }) =>
      `  load "${name}" issued late by p99 ${number(latenessMs.p99, 1)} ms, at most ` +
      `${number(latenessMs.max, 1)} ms\n`,
  );
  if (lab.machine !== null) {
    const { cores, busy, stolen } = lab.machine;
    rest.push(
      `  machine: ${cores} cores ${(busy * 100).toFixed(0)} % busy, ` +
        `${(stolen * 100).toFixed(0)} % stolen\n`,
    );
  }
  const kinds = new Set(processes.flatMap(({ sockets }) => sockets ?? []));
  if (kinds.size > 0) rest.push(`  sockets: ${[...kinds].join(', ')}\n`);
  const lines = [head, ...processes.map(processLine)];
  return `${verdictText({ lab })}${table(lines)}${rest.join('')}`;
}
