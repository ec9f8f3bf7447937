/**
 * `waterhammer demo` (`npm start`): the incident on real sockets at a size that fits this
 * machine, then the same once more with the cure: one setting of the queue. Nothing of the surge
 * is scripted: the timeline only stalls the database for some seconds, and later throttles.
 */
import path from 'node:path';
import type { Topology } from '../model/topology.ts';
import { type Executed, execute } from './execute.ts';
import { ExitCode } from './exit-code.ts';
import { verdictText } from './lab-text.ts';
import { INCIDENT, loadTopology } from './load-topology.ts';
import { type Phase, phasesOf } from './phases.ts';
import { exitCodeOf } from './run.ts';
import { table } from './table.ts';
import { booksText, findingsText } from './text-summary.ts';

export interface DemoOptions {
  readonly seed: number;
  readonly record?: string;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

/** All durations of the incident are multiplied by this, all rates divided by it. */
const TIME_SCALE = 0.25;
const CURE = 'queue.reclaim=idle-yield';
const LINK = 'apigw->nlb';
const QUEUE = 'queue';

interface Act {
  readonly name: string;
  readonly title: string;
  readonly executed: Executed;
  readonly phases: readonly Phase[];
}

export async function demo(options: DemoOptions): Promise<number> {
  const stamp = new Date().toISOString().slice(0, 19).replaceAll(':', '').replace('T', '-');
  const folder = options.record ?? path.join('recordings', `demo-${stamp}`);
  const acts: Act[] = [];
  for (const [name, title, set] of [
    ['incident', 'the incident', []],
    ['cure', `the cure (${CURE})`, [CURE]],
  ] as const) {
    const topology = await loadTopology(INCIDENT, { set, scale: 1, timeScale: TIME_SCALE }, false);
    if (topology === null) return ExitCode.failed;
    announce(title, topology);
    const executed = await execute({
      title,
      topology,
      seed: options.seed,
      record: path.join(folder, name),
      recordEvents: false,
      recordPolicies: false,
      bookless: false,
      ndjson: false,
      externalClients: false,
      verbose: options.verbose === true,
      page: false,
    });
    acts.push({
      name,
      title,
      executed,
      phases: phasesOf(executed.info, executed.seconds, LINK, QUEUE),
    });
    if (executed.interrupted || executed.failure !== null) break;
  }
  process.stdout.write(options.json === true ? jsonOf(acts) : textOf(acts, folder));
  return acts.map((act) => exitCodeOf(act.executed)).find((code) => code !== 0) ?? ExitCode.done;
}

function announce(title: string, topology: Topology): void {
  const seconds = Math.round(topology.duration / 1e6);
  const hosts = topology.hosts.map((group) => `${group.count} hosts`).join(', ');
  process.stderr.write(
    `\n== ${title}: ${hosts} with 15 slots each, ${seconds} s, every duration x ${TIME_SCALE}\n`,
  );
}

function jsonOf(acts: readonly Act[]): string {
  const runs = acts.map(({ name, executed, phases }) => ({
    name,
    phases,
    summary: executed.summary,
  }));
  return `${JSON.stringify({ timeScale: TIME_SCALE, runs }, null, 2)}\n`;
}

function textOf(acts: readonly Act[], folder: string): string {
  const [incident] = acts;
  if (incident === undefined) return '';
  const parts = acts.map((act) => `\n${act.title}\n${phaseTable(act.phases)}`);
  for (const act of acts) {
    parts.push(`\nFindings of ${act.title}\n${findingsText(act.executed.summary)}`);
    parts.push(booksText(act.executed.summary), verdictText(act.executed.summary));
  }
  const recording = path.join(folder, incident.name);
  parts.push(
    [
      '',
      `recordings: ${acts.map((act) => path.join(folder, act.name)).join('  ')}`,
      'next:',
      `  npx waterhammer ledger ${recording} --client mobile/7 --request 3`,
      `  npx waterhammer diagram ${recording} --client mobile/7 --requests 1..3`,
      '  npx waterhammer run examples/golden-connections.yaml',
      '',
    ].join('\n'),
  );
  return parts.join('\n');
}

function phaseTable(phases: readonly Phase[]): string {
  const head = ['phase', 'seconds', 'new/s', 'requests/new', 'open max', 'held max', 'ok/s'];
  const number = (value: number | null, digits = 0): string =>
    value === null ? '-' : value.toFixed(digits);
  return table([
    [...head, '429/s', '5xx/s', 'worst p99 ms'],
    ...phases.map((phase) => [
      phase.name,
      `${phase.fromSecond}-${phase.toSecond}`,
      number(phase.newPerSecond, 1),
      number(phase.requestsPerNewConnection, 1),
      String(phase.openMax),
      String(phase.heldMax),
      number(phase.okPerSecond),
      number(phase.throttled429PerSecond),
      number(phase.serverErrors5xxPerSecond),
      number(phase.p99Ms),
    ]),
  ]);
}
