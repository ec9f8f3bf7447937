/**
 * Requests per new connection in the calm and in the worst ten seconds after it: the incident's
 * 76 and 9. The calm is what lies before the first fault or setting that was changed, from the
 * last note before it, or else from the third second, because pools fill in the first two.
 * Without a fault or change nobody can say what was calm: then there is only one figure.
 */
import { type RunData, watchedLink } from '../run-data.ts';

const WARM_UP_SECONDS = 2;
const CALM_SECONDS_MIN = 4;
const WORST_SECONDS = 10;
/** Of fewer new connections no ratio is told. */
const OPENED_MIN = 5;

export interface PerConnection {
  readonly link: string;
  /** exchanges / new connections of the whole load; null when none was opened. */
  readonly all: number | null;
  readonly calm: { readonly from: number; readonly to: number; readonly ratio: number } | null;
  readonly worst: { readonly from: number; readonly to: number; readonly ratio: number } | null;
}

export interface Calm {
  readonly from: number;
  readonly to: number;
}

/** Seconds; null where nothing was done to the system, or too early. */
export function calmOf({ info }: Pick<RunData, 'info'>): Calm | null {
  const { marks, loadStart } = info;
  const second = (at: number): number => Math.round((at - loadStart) / 1e6);
  const first = marks.find(({ kind }) => kind === 'fault' || kind === 'set');
  if (first === undefined) return null;
  const to = second(first.at);
  const notes = marks.filter(({ kind, at }) => kind === 'note' && second(at) < to);
  const from = Math.max(WARM_UP_SECONDS, ...notes.map(({ at }) => second(at)));
  return to - from < CALM_SECONDS_MIN ? null : { from, to };
}

/** null where the link is not seen. */
export function perConnection(run: RunData): PerConnection | null {
  const { info, summary, series } = run;
  const link = watchedLink(info);
  if (link === null) return null;
  const all = summary.links.find((one) => one.name === link)?.requestsPerNewConnection ?? null;
  const exchanges = series.get(`link:${link}`, 'exchanges');
  const opened = series.get(`link:${link}`, 'opened');
  const calm = calmOf(run);
  if (exchanges === null || opened === null || calm === null) {
    return all === null ? null : { link, all, calm: null, worst: null };
  }
  const { step, length } = series;
  const ratioIn = (from: number, to: number): number | null => {
    let above = 0;
    let below = 0;
    for (let i = Math.ceil(from / step); i < Math.min(Math.floor(to / step), length); i++) {
      above += exchanges[i] ?? 0;
      below += opened[i] ?? 0;
    }
    return below < OPENED_MIN ? null : above / below;
  };
  const calmRatio = ratioIn(calm.from, calm.to);
  let worst: PerConnection['worst'] = null;
  const width = Math.max(WORST_SECONDS, step);
  for (let from = calm.to; from + width <= length * step; from += step) {
    const ratio = ratioIn(from, from + width);
    if (ratio !== null && (worst === null || ratio < worst.ratio)) {
      worst = { from, to: from + width, ratio };
    }
  }
  return { link, all, calm: calmRatio === null ? null : { ...calm, ratio: calmRatio }, worst };
}
