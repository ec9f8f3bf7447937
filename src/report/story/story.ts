/**
 * The story of a run in words: what happened, when, why and what to change, before any picture.
 * Every figure is from the summary, the series, the marks or a finding; what those do not tell
 * is listed as unknown, and nothing is guessed.
 */
import type { ClientsSummary, Finding, Summary } from '../../model/summary.ts';
import { clock, count, milliseconds, percent, plural } from '../numbers.ts';
import type { RunData } from '../run-data.ts';
import { type PerConnection, perConnection } from './calm.ts';
import { MECHANISMS } from './mechanism.ts';
import { type Moment, momentsOf } from './moments.ts';
import { remedyCommand } from './remedy.ts';
import { unknownsOf } from './unknowns.ts';

export interface Reason {
  readonly finding: Finding;
  readonly mechanism: string | null;
}

export interface Change {
  readonly text: string;
  /** What to type to try it; null where the remedy names no single setting. */
  readonly command: string | null;
}

export interface Story {
  /** One sentence: the gravest finding, or that there was none. */
  readonly lead: string;
  readonly what: readonly string[];
  readonly when: readonly Moment[];
  readonly why: readonly Reason[];
  readonly change: readonly Change[];
  readonly unknown: readonly string[];
}

export function storyOf(run: RunData): Story {
  const { summary, info } = run;
  const causes = summary.findings.filter(({ severity }) => severity !== 'info');
  return {
    lead: leadOf(summary),
    what: whatHappened(run),
    when: momentsOf(run),
    why: summary.findings.map((finding) => ({
      finding,
      mechanism: MECHANISMS[finding.kind] ?? null,
    })),
    change: changesOf(causes, run),
    unknown: unknownsOf(run, info),
  };
}

function leadOf(summary: Summary): string {
  const gravest = summary.findings[0];
  if (gravest !== undefined && gravest.severity !== 'info') return gravest.title;
  const { sent, ok } = total(summary.clients);
  if (sent === 0) return 'No request was sent.';
  return `No trouble was found: ${percent(ok / sent)} of ${count(sent)} requests succeeded.`;
}

function whatHappened(run: RunData): string[] {
  const { summary, info } = run;
  return [
    requests(summary, info.engine === 'sim' ? 'simulated seconds' : 'seconds'),
    ...clientsThatWaited(summary),
    ...perNewConnection(perConnection(run)),
    ...multiplied(summary),
    ...labTrouble(summary),
  ];
}

function requests({ clients, durationSeconds }: Summary, seconds: string): string {
  const { sent, ok, throttled429, serverErrors5xx, failed, pending, retries } = total(clients);
  const who = plural(
    clients.reduce((sum, group) => sum + group.count, 0),
    'client',
  );
  if (sent === 0) return `${who} sent nothing in ${count(durationSeconds)} ${seconds}.`;
  const others = [
    [throttled429, `${was(throttled429)} answered 429`],
    [serverErrors5xx, `${was(serverErrors5xx)} answered 5xx`],
    [failed, 'got no answer'],
    [pending, `${was(pending)} still waiting at the end`],
  ] as const;
  const rest = others.filter(([n]) => n > 0).map(([n, what]) => `${count(n)} ${what}`);
  const again = retries > 0 ? ` ${plural(retries, 'retry', 'retries')} came on top.` : '';
  return (
    `${who} sent ${plural(sent, 'request')} in ${count(durationSeconds)} ${seconds}: ` +
    `${count(ok)} (${percent(ok / sent)}) succeeded` +
    `${rest.length > 0 ? `, ${rest.join(', ')}` : ''}.${again}`
  );
}

function was(some: number): string {
  return some === 1 ? 'was' : 'were';
}

function clientsThatWaited({ clients }: Summary): string[] {
  return clients.flatMap((group) => {
    const { name, starved, served, latencyMs } = group;
    const of = plural(group.count, `client of ${name}`, `clients of ${name}`);
    const found: string[] = [];
    if (starved !== null && starved > 0) {
      found.push(
        `${count(starved)} of ${of} had a request that waited unread too long; ` +
          `${count(served)} got at least one answer.`,
      );
    }
    const { p50, p99 } = latencyMs ?? { p50: null, p99: null };
    if (p50 !== null && p99 !== null) {
      found.push(
        `Half of the answers to ${name} took up to ${milliseconds(p50)}, ` +
          `one in a hundred ${milliseconds(p99)} or more.`,
      );
    }
    return found.length === 0 ? [] : [found.join(' ')];
  });
}

function perNewConnection(found: PerConnection | null): string[] {
  if (found === null) return [];
  const { link, all, calm, worst } = found;
  if (calm !== null && worst !== null && worst.ratio < calm.ratio) {
    return [
      `In the calm (${clock(calm.from)} to ${clock(calm.to)}) each new connection on ${link} ` +
        `carried ${count(calm.ratio)} requests; in the worst ${count(worst.to - worst.from)} ` +
        `seconds (from ${clock(worst.from)}) ${count(worst.ratio)}.`,
    ];
  }
  if (all === null) return [];
  return [`Each new connection on ${link} carried ${count(all)} requests over the whole load.`];
}

function multiplied({ links }: Summary): string[] {
  const most = links.reduce(
    (best, link) => ((link.multiplication ?? 0) > (best?.multiplication ?? 0) ? link : best),
    links[0],
  );
  const factor = most?.multiplication ?? null;
  if (most === undefined || factor === null || factor < 1.5) return [];
  return [`One client connection's requests used ${count(factor)} connections on ${most.name}.`];
}

function labTrouble({ lab }: Summary): string[] {
  if (lab === null || !lab.bottleneck) return [];
  return [
    `The lab itself was a bottleneck, so that the latencies are partly its own: ` +
      `${lab.because.join('; ')}.`,
  ];
}

function changesOf(findings: readonly Finding[], run: RunData): Change[] {
  const texts = new Set<string>();
  return findings.flatMap(({ remedy }) => {
    if (texts.has(remedy)) return [];
    texts.add(remedy);
    return [{ text: remedy, command: remedyCommand(remedy, run.info) }];
  });
}

type Requests = ClientsSummary['requests'];

function total(clients: readonly ClientsSummary[]): Requests {
  const sum = (name: keyof Requests): number =>
    clients.reduce((all, group) => all + group.requests[name], 0);
  return {
    sent: sum('sent'),
    answered: sum('answered'),
    failed: sum('failed'),
    pending: sum('pending'),
    ok: sum('ok'),
    throttled429: sum('throttled429'),
    serverErrors5xx: sum('serverErrors5xx'),
    timeouts: sum('timeouts'),
    resets: sum('resets'),
    retries: sum('retries'),
  };
}
