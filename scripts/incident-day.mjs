/**
 * Writes docs/incident-day.md: a whole day of the incident's system, hour by hour, against what
 * its charts show of calm, trough and noon.
 *
 *     node scripts/incident-day.mjs [--scale 1] [--recording DIR]
 *
 * With a recording of such a day it only reads that. At full size a day takes about an hour.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { chartsOf } from '../dist/measure/index.js';
import { readRun, readSeries } from '../dist/recording/index.js';

const { values: options } = parseArgs({
  options: { scale: { type: 'string', default: '1' }, recording: { type: 'string' } },
});
const scale = Number(options.scale);
const root = fileURLToPath(new URL('..', import.meta.url));
const command = [
  ...['simulate', 'examples/aws-2021.yaml', '--start', '00:00', '--duration', '24h'],
  ...(scale === 1 ? [] : ['--scale', options.scale]),
  ...['--detail', 'series', '--resolution', '60s'],
];
/** As the balancer's own chart was plotted with Sum: docs/incident-calibration.md. */
const SUM_FACTOR = 3.13;
const PER_HOUR = 60;
const HEAD = [
  ...['from', 'requests/s', 'new flows/min', 'least .. most', 'requests per new flow'],
  ...[`active flows x ${SUM_FACTOR}`, 'database CPU %'],
];

function record() {
  const scratch = mkdtempSync(join(tmpdir(), 'waterhammer-day-'));
  const folder = join(scratch, 'day');
  const args = ['dist/bin/main.js', ...command, '--no-page', '--record', folder];
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) throw new Error(`the day was broken off: see --recording ${folder}`);
  return { folder, forget: () => rmSync(scratch, { recursive: true }) };
}

async function minutesOf(folder) {
  const run = await readRun(folder);
  const rows = [];
  for await (const some of readSeries(folder)) rows.push(...some);
  const charts = chartsOf(run, rows);
  const chart = (of, metric) => charts.find((one) => one.of === of && one.metric === metric).values;
  const size = scale === 1 ? 1 : hostsOf(run.topology) / 66;
  const whole = (values) => values.map((value) => (value ?? 0) / size);
  const mobile = whole(chart('cf-mobile', 'Requests'));
  const embedded = whole(chart('cf-embedded', 'Requests'));
  const failures = rows.filter(({ measure }) => measure === 'serverErrors5xx');
  return {
    run,
    size,
    failed: failures.reduce((sum, { value }) => sum + (value ?? 0), 0),
    requests: mobile.map((one, minute) => one + embedded[minute]),
    newFlows: whole(chart('nlb', 'NewFlowCount')),
    activeFlows: whole(chart('nlb', 'ActiveFlowCount')).map((value) => value * SUM_FACTOR),
    perNewFlow: chart('nlb', 'RequestsPerNewFlow'),
    cpu: chart('db', 'CPUUtilization'),
  };
}

function hostsOf({ hosts }) {
  return hosts.reduce((sum, { count }) => sum + count, 0);
}

const mean = (values) => values.reduce((sum, one) => sum + (one ?? 0), 0) / values.length;
const round = (value, digits = 0) => Number(value.toFixed(digits)).toLocaleString('en');
const spread = (values) => `${round(Math.min(...values))} .. ${round(Math.max(...values))}`;

function hourRow(day, hour) {
  const part = (values) => values.slice(hour * PER_HOUR, (hour + 1) * PER_HOUR);
  return `| ${[
    `${String(hour).padStart(2, '0')}:00`,
    round(mean(part(day.requests)) / 60),
    round(mean(part(day.newFlows))),
    spread(part(day.newFlows)),
    round(mean(part(day.perNewFlow)), 1),
    round(mean(part(day.activeFlows))),
    round(mean(part(day.cpu)), 1),
  ].join(' | ')} |`;
}

/** The share of some minutes in which a chart is within the bounds that were read off. */
function within(values, [from, to]) {
  if (values.length === 0) return 'no such minute';
  const met = values.filter((value) => value >= from && value <= to).length;
  return `${round((met / values.length) * 100)} % of ${values.length} minutes`;
}

const made = options.recording === undefined ? record() : null;
const day = await minutesOf(made?.folder ?? options.recording);
made?.forget();
// The first minute fills empty pools.
const minutes = day.requests.map((_, minute) => minute).filter((minute) => minute > 0);
const where = (wanted) => minutes.filter((minute) => wanted(day.requests[minute] / 60));
const of = (values, chosen) => chosen.map((minute) => values[minute]);
const lit = where((rate) => rate >= 2_900);
const charted = where((rate) => rate >= 2_900 && rate <= 3_250);
const dark = where((rate) => rate <= 1_400);
const hours = Array.from({ length: Math.floor(day.requests.length / PER_HOUR) }, (_, hour) => hour);
const { summary } = day.run;
const lived = day.requests.length;
const brokenOff =
  lived >= 24 * PER_HOUR
    ? ''
    : `broken off with Ctrl-C after ${round(lived / PER_HOUR, 1)} hours of it, which it keeps.\n\n`;
const total = day.requests.reduce((sum, one) => sum + one, 0);
const counted = day.size === 1 ? '' : ', counted for the whole system';
const lead = `Seed ${summary.seed}, ${hostsOf(day.run.topology)} hosts, closed users, 1,300
requests/s at midnight and 4,000 at noon; ${round(total / 1e6, 1)} million requests answered to
CloudFront${counted}`;
const lightly = 'at 2,900 to 3,250 requests/s';
const shown = [
  ['new flows a minute from 2,900 requests/s', lit, day.newFlows, 2_300, 3_200],
  ['new flows a minute to 1,400 requests/s', dark, day.newFlows, 1_160, 1_350],
  [`requests per new flow ${lightly}`, charted, day.perNewFlow, 72, 80],
  [`active flows x ${SUM_FACTOR}, ${lightly}`, charted, day.activeFlows, 2_000, 2_600],
  [`database CPU %, ${lightly}`, charted, day.cpu, 9, 11],
].map(([name, chosen, values, from, to]) => [
  name,
  `${round(from)} .. ${round(to)}`,
  within(of(values, chosen), [from, to]),
]);
shown.push(['failures in calm', 'none', round(day.failed)]);
const text = `# A day of the incident's system

Written by \`node scripts/incident-day.mjs\` from a recording of

    waterhammer ${command.join(' ')}

${brokenOff}${lead}, ${round(day.failed)} of them with
5xx; books ${summary.balanced ? 'balanced to the last connection' : 'NOT balanced'}.

| what the charts show | | simulated |
|---|---|---|
${shown.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}

By hour: means of its minutes, and for new flows the least and the most.

| ${HEAD.join(' | ')} |
|${HEAD.map(() => '---|').join('')}
${hours.map((hour) => hourRow(day, hour)).join('\n')}
`;
writeFileSync(new URL('../docs/incident-day.md', import.meta.url), text);
