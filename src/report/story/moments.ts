/**
 * What happened when: the marks of the recording (what was done to the system), and what the
 * series show (what it did). Nothing here is a judgement: each moment is a second in which a
 * series first left zero, was highest, or came back to zero.
 */
import type { Mark } from '../../model/run.ts';
import { count, plural } from '../numbers.ts';
import { type RunData, slotsOf, type Values, watchedLink } from '../run-data.ts';

export interface Moment {
  /** Since the start of the load. */
  readonly second: number;
  readonly text: string;
  /** `done`: somebody did it, from a mark. `seen`: read from the series. */
  readonly kind: 'done' | 'seen';
  /** Number of the flag in the plots; null = has none. */
  readonly flag: number | null;
}

/** Marks of one second share a flag. */
export interface Flag {
  readonly number: number;
  readonly second: number;
  readonly texts: readonly string[];
}

const SHOWN: readonly Mark['kind'][] = ['fault', 'set', 'note', 'crash'];

export function flagsOf({ info }: Pick<RunData, 'info'>): Flag[] {
  const bySecond = new Map<number, string[]>();
  for (const { at, text, kind } of info.marks) {
    const second = Math.round((at - info.loadStart) / 1e6);
    if (!SHOWN.includes(kind)) continue;
    const texts = bySecond.get(second) ?? [];
    if (!texts.includes(text)) texts.push(text);
    bySecond.set(second, texts);
  }
  return [...bySecond]
    .sort(([a], [b]) => a - b)
    .map(([second, texts], i) => ({ number: i + 1, second, texts }));
}

export function momentsOf(run: RunData): Moment[] {
  const done = flagsOf(run).map(
    ({ number, second, texts }): Moment => ({
      second,
      text: texts.join('; '),
      kind: 'done',
      flag: number,
    }),
  );
  const seen = [...waits(run), ...flood(run), ...answers(run)].map(
    ({ second, text }): Moment => ({ second, text, kind: 'seen', flag: null }),
  );
  return [...done, ...seen].sort((x, y) => x.second - y.second || (x.kind === 'done' ? -1 : 1));
}

type Seen = Pick<Moment, 'second' | 'text'>;

/** Requests that wait unread at a queue: from when, how many, until when. */
function waits({ info, summary, series }: RunData): Seen[] {
  return summary.queues.flatMap(({ name, activeMax }) => {
    const waiting = series.get(`hop:${name}`, 'waiting');
    const span = waiting === null ? null : spanOf(waiting);
    if (span === null) return [];
    const { first, last, peak, peakAt } = span;
    const slots = slotsOf(info, name, activeMax);
    const found: Seen[] = [
      { second: first * series.step, text: `the first request waits for a slot of ${name}` },
      {
        second: peakAt * series.step,
        text:
          `${plural(peak, 'request')} wait${peak === 1 ? 's' : ''} for ${slots} slots of ` +
          `${name}, the most of the run`,
      },
    ];
    const still = last >= series.length - 1;
    const end = { second: (last + 1) * series.step, text: `nobody waits for ${name} any more` };
    const left = waiting?.[last] ?? 0;
    const stillText = `${plural(left, 'request')} still wait${left === 1 ? 's' : ''} for ${name}`;
    return [...found, still ? { second: series.length * series.step, text: stillText } : end];
  });
}

/** Open connections on the watched link at their most. */
function flood({ info, series }: RunData): Seen[] {
  const link = watchedLink(info);
  const open = link === null ? null : series.get(`link:${link}`, 'open');
  const span = open === null ? null : spanOf(open);
  if (span === null || span.peak === 0) return [];
  const text = `${plural(span.peak, 'connection')} open on ${link}, the most of the run`;
  return [{ second: span.peakAt * series.step, text }];
}

/** Answers that were none, over all clients. */
function answers({ series }: RunData): Seen[] {
  const kinds = [
    ['serverErrors5xx', 'answer of 5xx', 'answers of 5xx'],
    ['throttled429', 'answer of 429', 'answers of 429'],
    ['timeouts', 'request that a client gave up', 'requests that clients gave up'],
    ['resets', 'request that ended in a reset', 'requests that ended in a reset'],
  ] as const;
  return kinds.flatMap(([measure, one, many]) => {
    const values = series.sum('clients:', measure);
    const span = values === null ? null : spanOf(values);
    if (values === null || span === null) return [];
    const total = values.reduce<number>((sum, value) => sum + (value ?? 0), 0);
    const begins = { second: span.first * series.step, text: `the first ${one}` };
    const ends = { second: span.last * series.step, text: `the last of ${count(total)} ${many}` };
    return span.first === span.last ? [begins] : [begins, ends];
  });
}

interface Span {
  readonly first: number;
  readonly last: number;
  readonly peak: number;
  readonly peakAt: number;
}

/** First and last index above zero, and where the most is; null when it is never above zero. */
function spanOf(values: Values): Span | null {
  let span: Span | null = null;
  for (const [index, value] of values.entries()) {
    if (value === null || value <= 0) continue;
    const before: Span = span ?? { first: index, last: index, peak: 0, peakAt: index };
    const top = value > before.peak ? { peak: value, peakAt: index } : {};
    span = { ...before, last: index, ...top };
  }
  return span;
}
