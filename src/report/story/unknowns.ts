/** What a recording does not tell, said before somebody reads it into the pictures. */
import type { RunInfo } from '../../model/run.ts';
import { count } from '../numbers.ts';
import type { RunData } from '../run-data.ts';
import { calmOf } from './calm.ts';

export function unknownsOf({ summary, series, tables }: RunData, info: RunInfo): string[] {
  const unseen = summary.links.filter((link) => link.opened === null).map((link) => link.name);
  const says: readonly (readonly [boolean, string])[] = [
    [
      info.engine === 'sim',
      'This was simulated: what the model leaves out (the kernel beyond its backlog and ports, ' +
        'the network, the programs themselves) cannot show.',
    ],
    [
      info.engine === 'live' && summary.lab === null,
      'How busy the lab machine was is not known, nor whether it added to the latencies.',
    ],
    [
      info.engine === 'live' && info.kernel === null,
      "The books were not compared with the kernel's table of connections.",
    ],
    [
      summary.balanced === null,
      'Whether every connection and request is accounted for cannot be known from this input.',
    ],
    [
      unseen.length > 0,
      `Nobody tells of connections on ${unseen.join(', ')}: both ends are other programs.`,
    ],
    [
      series.step > 1,
      `A row of the series stands for ${count(series.step)} seconds: what happened within them, ` +
        'and in which order, is not known.',
    ],
    [
      !tables.includes('exchanges'),
      'Only series were recorded: single connections and requests cannot be shown.',
    ],
    [
      calmOf({ info }) === null,
      'No fault or change is marked after some seconds of calm, so that nothing here can be ' +
        'called the normal state.',
    ],
  ];
  return says.filter(([holds]) => holds).map(([, text]) => text);
}
