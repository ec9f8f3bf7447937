/**
 * The charts of a run, by the names that CloudWatch gives to what they show, where it has one.
 * Values come from the run's series; nothing is measured here, only added up.
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

export interface Chart {
  readonly id: string;
  readonly title: string;
  readonly unit: string;
  readonly lines: readonly Line[];
}

/** More lines than that tell nothing: 66 hosts are shown as the least, the middle and the most. */
const LINES_MAX = 8;

export function chartsOf(story: Story): Chart[] {
  const charts: Chart[] = [
    ...flows(story),
    ...edges(story),
    answers(story),
    perConnection(story),
    slots(story),
    attempts(story),
    hosts(story),
    ...databases(story),
    latency(story),
  ];
  return charts.filter((chart) => chart.lines.length > 0);
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

function into(story: Story, hop: string): string[] {
  return story.links.filter((link) => link.upstream === hop).map((link) => `link:${link.name}`);
}

/** Flows of a balancer; without one, connections of each link. */
function flows(story: Story): Chart[] {
  const balancers = hopsOf(story, 'l4-balancer');
  if (balancers.length === 0) {
    const open = story.links.flatMap((link) =>
      line(story, link.name.replace('->', ' → '), [`link:${link.name}`], 'open', 'gauge'),
    );
    const opened = story.links.flatMap((link) =>
      line(story, link.name.replace('->', ' → '), [`link:${link.name}`], 'opened', 'count'),
    );
    return [
      { id: 'open', title: 'Open connections', unit: '', lines: open },
      { id: 'opened', title: 'New connections', unit: '', lines: opened },
    ];
  }
  return balancers.flatMap((hop) => [
    {
      id: `active-flows-${hop}`,
      title: `ActiveFlowCount of ${hop}`,
      unit: 'flows',
      lines: line(story, 'open flows', into(story, hop), 'open', 'gauge'),
    },
    {
      id: `new-flows-${hop}`,
      title: `NewFlowCount of ${hop}`,
      unit: 'flows',
      lines: line(story, 'new flows', into(story, hop), 'opened', 'count'),
    },
  ]);
}

function edges(story: Story): Chart[] {
  const lines = hopsOf(story, 'edge').flatMap((hop) =>
    line(story, hop, into(story, hop), 'exchanges', 'count'),
  );
  return [{ id: 'requests', title: 'CloudFront Requests', unit: 'requests', lines }];
}

function answers(story: Story): Chart {
  const scopes = story.series.scopes('clients:');
  const of = (label: string, measure: string): Line[] =>
    line(story, label, scopes, measure, 'count');
  return {
    id: 'answers',
    title: 'Answers that clients got',
    unit: 'answers',
    lines: [
      ...of('good', 'ok'),
      ...of('429', 'throttled429'),
      ...of('5xx', 'serverErrors5xx'),
      ...of('none', 'failed'),
    ],
  };
}

function perConnection(story: Story): Chart {
  const lines = story.links.flatMap((link): Line[] => {
    const exchanges = story.series.values(`link:${link.name}`, 'exchanges');
    const opened = story.series.values(`link:${link.name}`, 'opened');
    if (exchanges === null || opened === null) return [];
    const label = link.name.replace('->', ' → ');
    return [{ label, kind: 'count', above: [exchanges], below: [opened] }];
  });
  return { id: 'per-connection', title: 'Requests per new connection', unit: '', lines };
}

function slots(story: Story): Chart {
  const lines = hopsOf(story, 'connection-queue').flatMap((hop) => [
    ...line(story, 'with a slot', [`hop:${hop}`], 'active', 'gauge'),
    ...line(story, 'waiting with a request', [`hop:${hop}`], 'waiting', 'gauge'),
    ...line(story, 'held', [`hop:${hop}`], 'held', 'gauge'),
    ...line(story, 'slot taken back', [`hop:${hop}`], 'yielded', 'gauge'),
  ]);
  return { id: 'slots', title: 'Connections at the queue', unit: '', lines };
}

function attempts(story: Story): Chart {
  const scopes = story.series.scopes('clients:');
  const values = (measure: string): Float64Array[] =>
    scopes.flatMap((scope) => story.series.values(scope, measure) ?? []);
  const [above, below] = [values('attempts'), values('ok')];
  const lines: Line[] =
    above.length === 0 ? [] : [{ label: 'attempts per success', kind: 'count', above, below }];
  return { id: 'attempts', title: 'Attempts per success', unit: '', lines };
}

function hosts(story: Story): Chart {
  const scopes = story.series.scopes('host:').slice(0, LINES_MAX);
  const lines = scopes.flatMap((scope) =>
    line(story, scope.slice(5).replace('#', ' '), [scope], 'requests', 'count'),
  );
  return { id: 'hosts', title: 'Requests per host', unit: 'requests', lines };
}

function databases(story: Story): Chart[] {
  return hopsOf(story, 'database').map((hop) => ({
    id: `connections-${hop}`,
    title: `DatabaseConnections of ${hop}`,
    unit: '',
    lines: line(story, 'connections', into(story, hop), 'open', 'gauge'),
  }));
}

function latency(story: Story): Chart {
  const lines = story.series.scopes('clients:').flatMap((scope) => {
    const name = scope.slice('clients:'.length);
    return [
      ...line(story, `${name} p50`, [scope], 'latencyP50Ms', 'gauge'),
      ...line(story, `${name} p99`, [scope], 'latencyP99Ms', 'gauge'),
    ];
  });
  return { id: 'latency', title: 'Time to answer', unit: 'ms', lines };
}
