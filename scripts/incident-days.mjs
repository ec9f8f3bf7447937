/**
 * Writes docs/incident-days.md: days with triggers at random times, counted as the incident's team
 * counted theirs: events with and without a spike at the database, in 29 days.
 *
 *     node scripts/incident-days.mjs [--days 29] [--scale 0.12] [--seed 1]
 *
 * Between triggers nothing happens (the windows of calm in docs/incident-calibration.md), so that
 * only a few minutes around each are simulated, at its time of day, each from a calm start. With
 * --scale 1 all of them at full size, which takes about half an hour.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { simulateWindow } from '../dist/calibrate/simulate-window.js';
import { timelineOf } from '../dist/random/fault-timeline.js';
import { parseTopology } from '../dist/topology/index.js';

const FILE = 'examples/aws-2021.yaml';
const document = readFileSync(new URL(`../${FILE}`, import.meta.url), 'utf8');

/**
 * As `faults: stochastic` has them, at the rates of the team's events; but a database that is a
 * tenth busy, as charted, has to be more than ten times slower before anybody waits. No host goes
 * down: at reduced size one of four is more than one of 66.
 */
const FAULTS = `faults:
  - { action: slow, hop: db, every: exponential(21h), factor: "uniform(10, 60)",
      lasts: "lognormal(median 7s, p99 40s)" }
  - { action: slow-requests, hop: app, every: exponential(174h), share: "uniform(0.05, 0.3)",
      extra: "lognormal(median 4s, p99 20s)", lasts: "lognormal(median 7s, p99 40s)" }
  - { action: replace-nodes, hop: apigw, every: exponential(174h), count: "uniform(1, 32)" }
`;

const MINUTE = 60_000_000;
const DAY = 1_440 * MINUTE;
/** Pools fill for two minutes, the third is calm, the trigger comes with the fourth. */
const CALM_FROM = 2 * MINUTE;
const TRIGGER_AT = 3 * MINUTE;
const LOOKED_AT = 4 * MINUTE;
const FLOWS = 'nlb.NewFlowCount';
const CPU = 'db.CPUUtilization';
const REQUESTS = ['cf-mobile.Requests', 'cf-embedded.Requests'];

const { values: options } = parseArgs({
  options: {
    days: { type: 'string', default: '29' },
    scale: { type: 'string', default: '0.12' },
    seed: { type: 'string', default: '1' },
  },
});
const days = Number(options.days);
const scale = Number(options.scale);
const seed = Number(options.seed);

function triggers() {
  const parsed = parseTopology(document + FAULTS, FILE, {
    set: [`duration=${days * 24}h`],
    scale: 1,
    timeScale: 1,
  });
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  return timelineOf(parsed.topology, seed);
}

/** What a document says of a trigger; the model has its times in microseconds. */
function entryOf({ at: _at, text: _text, ...action }) {
  const words = Object.entries(action).map(([key, value]) => {
    const isTime = key === 'lasts' || key === 'extra';
    return `${key}: ${isTime ? `${Math.max(1, Math.round(value / 1_000))}ms` : value}`;
  });
  return `timeline:\n  - { at: ${TRIGGER_AT / MINUTE}m, ${words.join(', ')} }\n`;
}

function timeOfDay(micros) {
  const minutes = Math.floor((((micros % DAY) + DAY) % DAY) / MINUTE);
  const two = (value) => String(value).padStart(2, '0');
  return `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

function live(trigger) {
  const result = simulateWindow({
    document: document + entryOf(trigger),
    file: FILE,
    set: [`startTimeOfDay=${timeOfDay(trigger.at - TRIGGER_AT)}`],
    scale,
    seed,
    from: CALM_FROM,
    lasts: LOOKED_AT,
    measures: [FLOWS, CPU, ...REQUESTS],
  });
  if ('problems' in result) throw new Error(JSON.stringify(result.problems));
  const { values } = result;
  const [calm, ...after] = values[FLOWS];
  const [calmCpu, ...cpu] = values[CPU];
  const requests = values[REQUESTS[0]].map((one, at) => one + values[REQUESTS[1]][at]);
  return {
    kind: trigger.action,
    day: Math.floor(trigger.at / DAY),
    isEvent: Math.max(...after) > 2 * calm,
    isStuck: after.at(-1) > 2 * calm,
    atDatabase: Math.max(...cpu) > 1.5 * calmCpu,
    // Before, not after: what overshoots comes of clients that waited.
    atCloudFront: requests[1] > 1.1 * requests[0],
  };
}

function row(name, all) {
  const events = all.filter(({ isEvent }) => isEvent);
  const count = (what) => events.filter(what).length;
  return `| ${[
    name,
    all.length,
    events.length,
    count(({ atDatabase }) => atDatabase),
    count(({ atDatabase }) => !atDatabase),
    count(({ atCloudFront }) => atCloudFront),
    count(({ isStuck }) => isStuck),
  ].join(' | ')} |`;
}

function daysText(all) {
  const perDay = Array.from(
    { length: days },
    (_, day) => all.filter((one) => one.isEvent && one.day === day).length,
  );
  const most = Math.max(...perDay);
  return Array.from({ length: most + 1 }, (_, events) => {
    const found = perDay.filter((one) => one === events).length;
    return `${found} with ${events === 0 ? 'none' : events}`;
  }).join(', ');
}

const drawn = triggers();
const lived = drawn.map((trigger, index) => {
  const found = live(trigger);
  process.stderr.write(`${index + 1} of ${drawn.length}: ${JSON.stringify(found)}\n`);
  return found;
});
const kinds = [...new Set(lived.map(({ kind }) => kind))].sort();
const events = lived.filter(({ isEvent }) => isEvent);
const unseen = events.filter(({ kind, atDatabase }) => kind === 'slow' && !atDatabase).length;
const command = `node scripts/incident-days.mjs --days ${days} --scale ${scale} --seed ${seed}`;
const size = scale === 1 ? 'at full size' : `at ${scale} of the size`;
const text = `# Days with random triggers, counted as the team counted theirs

Written by

    ${command}

An event is a trigger after which NewFlowCount more than doubled in a minute; it was seen at the
database when CPUUtilization rose by half. Stuck: still so in the second minute after the trigger's;
each trigger finds calm, as if somebody had throttled by then. Only the minutes around
each trigger are simulated, ${size}, at their time of day, from a calm start.

| trigger | drawn | events | with a database spike | without | with more requests | stuck |
|---|---|---|---|---|---|---|
${kinds
  .map((kind) =>
    row(
      kind,
      lived.filter((one) => one.kind === kind),
    ),
  )
  .join('\n')}
${row('**all**', lived)}
| *the team, 29 days* | *unknown* | *41* | *33* | *8* | *0* | *unknown* |

Events by day, of ${days} days: ${daysText(lived)}.

${unseen} of the ${events.length} came of a database that was slow for so short a time that no
minute of its CPUUtilization rose by half: counted by minutes they are spikes without it.

Which triggers the team had, how strong and how many of them did nothing, nobody knows: their kinds,
sizes and rates are assumptions, drawn from the seed, and the split between the two columns follows
from the rates. What is no assumption is what becomes of each: that a spike without the database
looks the same, that many triggers pass unseen, and that no event needs more requests.

\`\`\`yaml
${FAULTS}\`\`\`
`;
writeFileSync(new URL('../docs/incident-days.md', import.meta.url), text);
