/**
 * The books of a recording without events, from its rows: connections and exchanges are counted
 * again and compared with what was struck when the run ended. A row that is missing, or one too
 * many, makes `balanced` false.
 */
import type { Imbalance, LinkSummary, Summary } from '../model/summary.ts';
import { readConnections, readExchanges } from '../recording/recording.ts';
import type { RunDocument } from '../recording/run-format.ts';

interface Count {
  opened: number;
  closed: number;
  open: number;
  exchanges: number;
}

export async function recountRows(recording: string, run: RunDocument): Promise<Summary> {
  const { summary } = run;
  if (summary === null) {
    const message =
      `${recording} was never struck: the run goes on, ` +
      `or was killed (then: waterhammer recover ${recording})`;
    throw Object.assign(new Error(message), { code: 'recording-incomplete' });
  }
  const counts = run.plan.links.map((): Count => ({ opened: 0, closed: 0, open: 0, exchanges: 0 }));
  for await (const batch of readConnections(recording)) {
    for (const row of batch) {
      const count = counts[row.link];
      if (count === undefined || row.outcome === 'failed') continue;
      count.opened += 1;
      if (row.outcome === 'closed') count.closed += 1;
      if (row.outcome === 'open') count.open += 1;
    }
  }
  for await (const batch of readExchanges(recording)) {
    for (const row of batch) {
      const count = counts[row.link];
      if (count !== undefined) count.exchanges += 1;
    }
  }
  const imbalances = run.plan.links.flatMap((link, index) => {
    const struck = summary.links.find((one) => one.name === link.name);
    const counted = counts[index];
    return struck === undefined || counted === undefined ? [] : compare(struck, counted);
  });
  const wrong = imbalances.length > 0;
  return {
    ...summary,
    balanced: wrong ? false : summary.balanced,
    imbalances: [...summary.imbalances, ...imbalances],
  };
}

function compare(struck: LinkSummary, counted: Count): Imbalance[] {
  return (['opened', 'closed', 'open', 'exchanges'] as const).flatMap((measure) => {
    const expected = struck[measure];
    if (expected === null || expected === counted[measure]) return [];
    const text =
      `${struck.name}: ${measure} was struck as ${expected}, but ` +
      `${counted[measure]} rows say so`;
    const count = Math.abs(expected - counted[measure]);
    return [
      { kind: 'rows-missing', link: struck.name, text, examples: [], count, explained: false },
    ];
  });
}
