/**
 * What a finding means in the run: the seconds in which it was so, the worst of them, and the
 * connections that stood for it at a time. A finding about settings alone means the whole run.
 */
import type { Finding } from '../../src/model/summary.ts';
import { type Snapshot, State } from './snapshot.ts';
import type { Story } from './story.ts';

/** µs */
export interface MeantTime {
  readonly from: number;
  readonly to: number;
  readonly worst: number;
}

interface Measure {
  readonly scope: string;
  readonly measure: string;
  /** Below that a second is not meant. */
  readonly least: number;
}

const MEASURES: Readonly<Record<string, Measure>> = {
  'slot-hoarding': { scope: 'hop:', measure: 'hoardedSlotSeconds', least: 0.5 },
  'invisible-starvation': { scope: 'hop:', measure: 'waiting', least: 1 },
  'timeout-ladder': { scope: 'hop:', measure: 'hoardedSlotSeconds', least: 0.5 },
  'retry-amplification': { scope: 'clients:', measure: 'retries', least: 1 },
  multiplication: { scope: 'link:', measure: 'opened', least: 1 },
  'connection-per-request': { scope: 'link:', measure: 'opened', least: 1 },
};

/** Shorter calms do not part what belongs together, s. */
const GAP = 10;
const MICROS = 1e6;

export function timeMeant(story: Story, finding: Finding): MeantTime {
  const { firstSecond } = finding.evidence;
  if (typeof firstSecond === 'number') {
    const spread = Number(finding.evidence.spreadSeconds ?? 0);
    const from = firstSecond * MICROS;
    return { from, to: from + (spread + story.series.step) * MICROS, worst: from };
  }
  const values = valuesOf(story, finding);
  let worst = -1;
  values.forEach((value, index) => {
    if (value > 0 && value > (values[worst] ?? 0)) worst = index;
  });
  if (worst < 0) return { from: 0, to: story.until, worst: story.until / 2 };
  const { series } = story;
  const edge = (by: 1 | -1): number => {
    let last = worst;
    for (let index = worst; Math.abs(index - last) * series.step <= GAP; index += by) {
      if (values[index] === undefined) break;
      if ((values[index] ?? 0) > 0) last = index;
    }
    return last;
  };
  const at = (index: number): number => series.secondOf(index) * MICROS;
  const step = series.step * MICROS;
  // Gauges are read at the end of their second.
  return { from: at(edge(-1)), to: at(edge(1)) + step, worst: at(worst) + step * 0.98 };
}

/** By step of the series: how much of it there was; 0 where it does not count. */
function valuesOf(story: Story, finding: Finding): number[] {
  const { series } = story;
  const measure = MEASURES[finding.kind];
  if (measure === undefined) return [];
  const { link } = finding.evidence;
  const scopes = typeof link === 'string' ? [`link:${link}`] : series.scopes(measure.scope);
  const columns = scopes.flatMap((scope) => series.values(scope, measure.measure) ?? []);
  return Array.from({ length: series.length }, (_, index) => {
    const sum = columns.reduce((total, column) => total + (column[index] || 0), 0);
    return series.secondOf(index) >= 0 && sum >= measure.least ? sum : 0;
  });
}

/** Whether a finding means the connection at a position of the snapshot. */
export function meantIn(
  story: Story,
  snapshot: Snapshot,
  finding: Finding,
): (position: number) => boolean {
  const { connections, exchanges, face } = story;
  const { links } = face.plan;
  const linkAt = (position: number) =>
    links[connections.link.get(snapshot.index[position] ?? 0)] ?? { upstream: '', name: '' };
  const state = (position: number): number => snapshot.state[position] ?? State.idle;
  const hasSlot = (position: number): boolean => (snapshot.cell[position] ?? -1) >= 0;
  switch (finding.kind) {
    case 'slot-hoarding':
    case 'timeout-ladder':
      return (one) =>
        hasSlot(one) && state(one) === State.idle && linkAt(one).upstream === finding.hop;
    case 'invisible-starvation':
      return (one) =>
        state(one) === State.waiting && linkAt(one).upstream === finding.evidence.bypassedHop;
    case 'multiplication':
    case 'connection-per-request':
      return (one) => linkAt(one).name === finding.evidence.link && state(one) !== State.closing;
    case 'uneven-hosts': {
      const busiest = busiestOf(story, finding.evidence.requestsPerHost);
      return (one) => {
        const acceptor = face.plan.instances[connections.acceptor.get(snapshot.index[one] ?? 0)];
        return acceptor?.host === busiest;
      };
    }
    case 'retry-amplification':
      return (one) => {
        const head = connections.id.get(connections.headOf(snapshot.index[one] ?? 0));
        const exchange = exchanges.at(head, snapshot.at);
        return state(one) !== State.idle && exchange >= 0 && exchanges.attempt.get(exchange) > 1;
      };
    default:
      return () => false;
  }
}

/** `requests` by replica of the group of hosts that has so many. */
function busiestOf({ face }: Story, requests: unknown): string | null {
  if (!Array.isArray(requests)) return null;
  const group = face.topology.hosts.find(({ count }) => count === requests.length);
  return group === undefined ? null : `${group.name}#${requests.indexOf(Math.max(...requests))}`;
}
