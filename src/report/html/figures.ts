/** The few figures that a reader should keep in mind, with those of another run beside them. */
import { count, milliseconds, percent } from '../numbers.ts';
import type { RunData } from '../run-data.ts';
import { perConnection } from '../story/calm.ts';
import { element, type Markup } from '../svg/element.ts';

interface Figure {
  readonly title: string;
  /** null = not known, or there is no such thing in this run. */
  readonly value: (run: RunData) => string | null;
}

const FIGURES: readonly Figure[] = [
  { title: 'requests per new connection, in the calm', value: (run) => inCalm(run) },
  { title: 'in the worst ten seconds', value: (run) => inWorst(run) },
  { title: 'requests per new connection', value: (run) => overall(run) },
  { title: 'of the requests succeeded', value: (run) => success(run) },
  { title: 'p99 of the time to answer', value: (run) => p99(run) },
  { title: 'clients with a starved request', value: (run) => starved(run) },
  { title: 'of slot time had a request in flight', value: (run) => utilisation(run) },
  { title: 'connections for one client connection', value: (run) => multiplication(run) },
  { title: 'attempts per success', value: (run) => attempts(run) },
];

export function figures(run: RunData, other: RunData | null): Markup {
  const tiles = FIGURES.flatMap(({ title, value }): Markup[] => {
    const here = value(run);
    const there = other === null ? null : value(other);
    if (here === null && there === null) return [];
    const beside =
      other === null
        ? null
        : element('span', { class: 'before' }, ` before: ${there ?? 'not known'}`);
    const dd = element('dd', {}, here ?? 'not known', beside);
    return [element('div', { class: 'tile' }, element('dt', {}, title), dd)];
  });
  return element('dl', { class: 'tiles' }, tiles);
}

function inCalm(run: RunData): string | null {
  const calm = perConnection(run)?.calm ?? null;
  return calm === null ? null : count(calm.ratio);
}

function inWorst(run: RunData): string | null {
  const worst = perConnection(run)?.worst ?? null;
  return worst === null ? null : count(worst.ratio);
}

function overall(run: RunData): string | null {
  const found = perConnection(run);
  if (found === null || found.all === null || found.calm !== null) return null;
  return count(found.all);
}

function success({ summary: { clients } }: RunData): string | null {
  const sent = clients.reduce((sum, one) => sum + one.requests.sent, 0);
  const ok = clients.reduce((sum, one) => sum + one.requests.ok, 0);
  return sent === 0 ? null : percent(ok / sent);
}

/** Of the group that fared worst. */
function p99({ summary: { clients } }: RunData): string | null {
  const known = clients.map((one) => one.latencyMs?.p99 ?? null).filter((one) => one !== null);
  return known.length === 0 ? null : milliseconds(Math.max(...known));
}

function starved({ summary: { clients } }: RunData): string | null {
  const known = clients.filter((one) => one.starved !== null);
  if (known.length === 0) return null;
  const all = known.reduce((sum, one) => sum + one.count, 0);
  const some = known.reduce((sum, one) => sum + (one.starved ?? 0), 0);
  return `${count(some)} of ${count(all)}`;
}

function utilisation({ summary: { queues } }: RunData): string | null {
  const known = queues.map((one) => one.slotUtilisation).filter((one) => one !== null);
  return known.length === 0 ? null : percent(Math.min(...known));
}

function multiplication({ summary: { links } }: RunData): string | null {
  const known = links.map((one) => one.multiplication).filter((one) => one !== null);
  return known.length === 0 ? null : count(Math.max(...known));
}

function attempts({ summary: { clients } }: RunData): string | null {
  const known = clients.map((one) => one.attemptsPerSuccess).filter((one) => one !== null);
  return known.length === 0 ? null : count(Math.max(...known));
}
