/**
 * Charts beside CloudWatch's: what no metric of AWS shows. Values come from the run's series;
 * nothing is measured here, only added up.
 */
import type { HopKind } from '../../src/model/topology.ts';
import type { Story } from '../data/story.ts';

export interface Line {
  readonly label: string;
  /** A count adds up over a window, a gauge is averaged, a ratio is counts over counts. */
  readonly kind: 'count' | 'gauge';
  readonly above: readonly Float64Array[];
  /** Divided by the sum of these, where there are any. */
  readonly below: readonly Float64Array[];
}

export interface Definition {
  readonly id: string;
  readonly title: string;
  readonly unit: string;
  readonly lines: readonly Line[];
}

/** The headline first; what is left when charts of CloudWatch have been put in after it. */
export function definitionsOf(story: Story): Definition[] {
  const all = [
    ...connections(story),
    perConnection(story),
    slots(story),
    answers(story),
    attempts(story),
    latency(story),
  ];
  return all.filter(({ lines }) => lines.length > 0);
}

function line(
  story: Story,
  label: string,
  scopes: readonly string[],
  measure: string,
  kind: Line['kind'],
): Line[] {
  const above = scopes.flatMap((scope) => {
    const values = story.series.values(scope, measure);
    return values === null ? [] : [values];
  });
  return above.length === 0 ? [] : [{ label, kind, above, below: [] }];
}

function hopsOf(story: Story, kind: HopKind): string[] {
  return story.face.topology.hops.filter((hop) => hop.kind === kind).map((hop) => hop.name);
}

function answers(story: Story): Definition {
  const scopes = story.series.scopes('clients:');
  const of = (label: string, measure: string): Line[] =>
    line(story, label, scopes, measure, 'count');
  return {
    id: 'answers',
    title: 'Answers that clients got',
    unit: 'sum',
    lines: [
      ...of('good', 'ok'),
      ...of('429', 'throttled429'),
      ...of('5xx', 'serverErrors5xx'),
      ...of('none', 'failed'),
    ],
  };
}

/** Links on which requests are spread anew: relays at L4 pass a connection on as it is. */
function perConnection(story: Story): Definition {
  const passedOn = new Set([...hopsOf(story, 'l4-balancer'), ...hopsOf(story, 'connection-queue')]);
  const links = story.links.filter(({ downstream }) => !passedOn.has(downstream));
  const lines = links.flatMap((link): Line[] => {
    const exchanges = story.series.values(`link:${link.name}`, 'exchanges');
    const opened = story.series.values(`link:${link.name}`, 'opened');
    if (exchanges === null || opened === null) return [];
    const label = link.name.replace('->', ' → ');
    return [{ label, kind: 'count', above: [exchanges], below: [opened] }];
  });
  return { id: 'per-connection', title: 'Requests per new connection', unit: '', lines };
}

function slots(story: Story): Definition {
  const lines = hopsOf(story, 'connection-queue').flatMap((hop) => [
    ...line(story, 'with a slot', [`hop:${hop}`], 'active', 'gauge'),
    ...atWork(story, hop),
    ...line(story, 'waiting with a request', [`hop:${hop}`], 'waiting', 'gauge'),
    ...line(story, 'held', [`hop:${hop}`], 'held', 'gauge'),
    ...line(story, 'slot taken back', [`hop:${hop}`], 'yielded', 'gauge'),
  ]);
  return { id: 'slots', title: 'Slots and who waits for them', unit: 'average', lines };
}

/** Slots with a request in them: what is left of those that are held is hoarded or resting. */
function atWork({ series }: Story, hop: string): Line[] {
  const held = series.values(`hop:${hop}`, 'active');
  const share = series.values(`hop:${hop}`, 'slotUtilisation');
  if (held === null || share === null) return [];
  const above = [held.map((slots, at) => (slots === 0 ? 0 : slots * (share[at] ?? Number.NaN)))];
  return [{ label: 'slots at work', kind: 'gauge', above, below: [] }];
}

function attempts(story: Story): Definition {
  const scopes = story.series.scopes('clients:');
  const values = (measure: string): Float64Array[] =>
    scopes.flatMap((scope) => story.series.values(scope, measure) ?? []);
  const [above, below] = [values('attempts'), values('ok')];
  const lines: Line[] =
    above.length === 0 ? [] : [{ label: 'attempts per success', kind: 'count', above, below }];
  return { id: 'attempts', title: 'Attempts per success', unit: '', lines };
}

function latency(story: Story): Definition {
  const lines = story.series.scopes('clients:').flatMap((scope) => {
    const name = scope.slice('clients:'.length);
    return [
      ...line(story, `${name} p50`, [scope], 'latencyP50Ms', 'gauge'),
      ...line(story, `${name} p99`, [scope], 'latencyP99Ms', 'gauge'),
    ];
  });
  return { id: 'latency', title: 'Time to answer', unit: 'ms', lines };
}

/** Open and new, where no balancer has charts of them. */
function connections(story: Story): Definition[] {
  if (hopsOf(story, 'l4-balancer').length + hopsOf(story, 'l7-balancer').length > 0) return [];
  const of = (measure: string, kind: Line['kind']): Line[] =>
    story.links.flatMap(({ name }) =>
      line(story, name.replace('->', ' → '), [`link:${name}`], measure, kind),
    );
  return [
    { id: 'open', title: 'Open connections', unit: 'average', lines: of('open', 'gauge') },
    { id: 'opened', title: 'New connections', unit: 'sum', lines: of('opened', 'count') },
  ];
}
