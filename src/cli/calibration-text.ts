/** What a calibration found, for readers; the same rows go into docs/incident-calibration.md. */
import type { Calibration } from '../calibrate/calibrate.ts';
import type { Judged, Judgement } from '../calibrate/score.ts';
import { table } from './table.ts';

export function calibrationText(found: Calibration): string {
  const { settings, evaluations, acceptable, judgement } = found;
  const ended = found.interrupted ? ' (ended early)' : '';
  return [
    `${evaluations} points simulated${ended}; ${acceptable} meet all fitted targets. The best:\n`,
    ...settings.map((one) => `  --set ${one}\n`),
    '\n',
    table(targetRows(judgement)),
    ...Object.entries(judgement.factors).map(
      ([name, factor]) => `  ${name} = ${figure(factor)}, one for all windows\n`,
    ),
    ...reasons(found),
    '\nWhat the fitted targets say of each parameter\n',
    table(parameterRows(found)),
    ...found.pairs.map(
      ({ paths: [one, other], correlation }) =>
        `  ${one} and ${other} cannot be told apart (rank correlation ${figure(correlation)})\n`,
    ),
    ...elsewhere(found),
  ].join('');
}

function targetRows({ judged }: Judgement): string[][] {
  return [
    ['target', 'window', 'use', 'wanted', 'simulated', 'error', ''],
    ...judged.map((one) => [
      one.target.name,
      one.target.window,
      one.target.use,
      `${figure(one.target.low)} .. ${figure(one.target.high)}`,
      one.simulated === null ? 'unknown' : figure(one.simulated),
      errorText(one),
      one.met ? 'met' : 'MISSED',
    ]),
  ];
}

/** Why targets are missed: what the search says of each, and what is noted, each note once. */
function reasons({ judgement: { judged }, missed, evaluations, acceptable }: Calibration) {
  const notes = judged.flatMap(({ met, target }) => (met ? [] : (target.note ?? [])));
  const found = missed.map(({ name, window, metAt, nearest }) => {
    const what = `${name} (${window})`;
    if (nearest === null) return `${what}: no run tells it`;
    if (metAt === 0) {
      const near = `the nearest shows ${figure(nearest)}`;
      return `${what}: none of ${evaluations} points meets it; ${near}`;
    }
    const but = acceptable === 0 ? 'none of them with all the others' : 'the best not in full size';
    return `${what}: ${metAt} of ${evaluations} points meet it, ${but}`;
  });
  const lines = [...found, ...new Set(notes)].map((line) => `  ${line}\n`);
  return lines.length === 0 ? [] : ['\nWhy targets are missed\n', ...lines];
}

/** How far beyond the nearer end of the range. */
function errorText({ simulated, target: { low, high }, met }: Judged): string {
  if (met) return '0';
  if (simulated === null) return '';
  const end = simulated < low ? low : high;
  if (end === 0) return `+${figure(simulated)}`;
  const percent = (100 * (simulated - end)) / end;
  // A miss by a hair is a miss: never "0 %".
  const text = Math.abs(percent) < 1 ? figure(percent) : percent.toFixed(0);
  return `${percent > 0 ? '+' : ''}${text} %`;
}

function parameterRows({ parameters }: Calibration): string[][] {
  return [
    ['parameter', 'best', 'alone', 'with the others', 'of its range'],
    ...parameters.map(({ path, best, alone, together, share }) => [
      path,
      best,
      rangeText(alone),
      rangeText(together),
      `${(100 * share).toFixed(0)} %`,
    ]),
  ];
}

function rangeText(values: readonly string[]): string {
  return values.length === 0 ? 'none' : values.join(values.length === 2 ? ' .. ' : ', ');
}

/** What is predicted at other points that meet the fitted targets just as well. */
function elsewhere({ alternatives, judgement }: Calibration): string[] {
  if (alternatives.length === 0) return [];
  const predicted = judgement.judged.filter(({ target }) => target.use === 'predict');
  const values = predicted.map((one, row) => [
    one.target.name,
    one.simulated === null ? 'unknown' : figure(one.simulated),
    ...alternatives.map((other) => {
      const of = other.judgement.judged.filter(({ target }) => target.use === 'predict')[row];
      return of === undefined || of.simulated === null ? '' : figure(of.simulated);
    }),
  ]);
  const rows = [['predicted', 'best', ...alternatives.map((_one, at) => `other ${at + 1}`)]];
  return [
    '\nThe same predictions at other points that meet all fitted targets\n',
    table([...rows, ...values]),
    ...alternatives.map(({ settings }, at) => `  other ${at + 1}: ${settings.join(' ')}\n`),
  ];
}

/** Three significant digits, without an exponent. */
export function figure(value: number): string {
  if (Math.abs(value) >= 1_000) return String(Number(value.toPrecision(3)));
  return String(Number(value.toPrecision(3)));
}
