/**
 * Which of CloudWatch's charts left its calm first, by how many seconds, and what its 1-minute
 * points make of it. The team of the incident argued over just that, with minutes to argue from.
 *
 * Said only where there was a whole minute of calm before the first fault or change.
 */
import { type ChartLead, chartLeads } from '../../measure/lead.ts';
import type { Rule } from '../input.ts';
import { round } from '../input.ts';
import { calmSeconds } from './first-mover.ts';

export const chartLead: Rule = (input) => {
  const leads = chartLeads(input.info, input.seconds, calmSeconds(input));
  const [first] = leads ?? [];
  if (leads === null || first === undefined || leads.length < 2) return [];
  const shown = leads.filter(({ minute }) => minute !== null);
  const minutes = [...new Set(shown.map(({ minute }) => minute ?? 0))].sort((x, y) => x - y);
  const fullest = Math.max(...minutes.map((one) => inMinute(shown, one)), 0);
  const hidden = leads.length - shown.length;
  const ties = leads.filter(({ second }) => second === first.second);
  const later = leads.slice(ties.length);
  return [
    {
      kind: 'chart-lead',
      hop: null,
      severity: 'info',
      title:
        `At second ${first.second} ${ties.map(text).join(' and ')} left calm first; ` +
        `then ${later.map(after(first)).join(', ') || 'nothing'}.`,
      evidence: {
        order: leads.map((one) => `+${one.second - first.second} s ${text(one)}`),
        firstSecond: first.second,
        leadSeconds: later[0] === undefined ? null : later[0].second - first.second,
        minutes: minutes.map((one) => `minute ${one}: ${inMinute(shown, one)} charts`),
        mostInOneMinute: fullest,
        notInMinutes: leads.filter(({ minute }) => minute === null).map(({ name }) => name),
      },
      remedy:
        `Do not argue from 1-minute metrics: ${fullest} of these ${leads.length} charts move in ` +
        `the same minute` +
        (hidden === 0 ? '' : `, and ${hidden} ${hidden === 1 ? 'does' : 'do'} not show at all`) +
        '. Record seconds.',
    },
  ];
};

function inMinute(leads: readonly ChartLead[], minute: number): number {
  return leads.filter((one) => one.minute === minute).length;
}

function text({ name, from, peak }: ChartLead): string {
  return `${name} (${round(from, 1)} -> ${round(peak, 1)})`;
}

function after(first: ChartLead): (one: ChartLead) => string {
  return ({ name, second, minute }) =>
    `${name} +${second - first.second} s${minute === null ? ' (in no minute)' : ''}`;
}
