/** The answers of `explain` for people: a table by place, then every formula with its numbers. */
import type { Quantity } from '../explain/answer.ts';
import type { Compared } from '../explain/compare.ts';
import type { ExplainPlan } from './explain-runs.ts';
import { table } from './table.ts';

const WORDS: Readonly<Record<Quantity, string>> = {
  requestsPerSecond: 'requests / s',
  requestsInFlight: 'requests in flight',
  secondsToAnswer: 'time to answer, s',
  throttledShare: 'turned away by the throttle, share',
  refusedShare: 'refused by the app, share',
  abandonedShare: 'lose patience, share',
  newConnectionsPerSecond: 'new connections / s',
  requestsPerNewConnection: 'requests per new connection',
  openConnections: 'open connections',
  connectionLifeSeconds: 'life of a connection, s',
  utilisation: 'utilisation',
  waitProbability: 'probability of waiting',
  meanWaitSeconds: 'mean wait, s',
  capacityPerSecond: 'capacity, requests / s',
  slots: 'slots there',
  slotsNeeded: 'slots needed',
  hostOverflowProbability: 'a host runs out of slots, probability',
  waitingBeginsPerSecond: 'waiting begins at, requests / s',
  longestWaitForSlotSeconds: 'longest wait for a slot, s',
  stuckStateExists: 'a stuck state exists',
  stallThatFillsSlotsSeconds: 'stall that takes all slots, s',
  connectionsThatFillSlots: 'extra connections that take all slots',
};

export function explainText(
  { name, hash }: { readonly name: string; readonly hash: string },
  answers: readonly Compared[],
  plan: ExplainPlan | null,
): string {
  const places = [...new Set(answers.map(({ at }) => at))];
  const head = [
    'closed form',
    '',
    ...(plan === null ? [] : ['simulated', '+-', 'difference', '']),
    'standing',
    'how',
  ];
  const numbers = new Map<string, number>();
  for (const one of answers) {
    const key = formulaKey(one);
    if (one.standing !== 'unknown' && !numbers.has(key)) numbers.set(key, numbers.size + 1);
  }
  const rows = places.flatMap((place) => [
    [place],
    ...answers
      .filter(({ at }) => at === place)
      .map((one) => [
        `  ${WORDS[one.quantity]}`,
        inWords(one.value),
        ...(plan === null ? [] : simulatedCells(one)),
        one.standing,
        one.standing === 'unknown' ? '' : `[${numbers.get(formulaKey(one))}]`,
      ]),
  ]);
  return [
    `${name}, topology ${hash}: the steady state at the peak of the load, without timeline\n`,
    plan === null ? '' : planText(plan),
    '\n',
    table([head, ...rows]),
    '\n',
    formulas(answers, numbers),
    reasons(answers),
    stallsText(answers),
  ].join('');
}

function planText({ seeds, window, remark }: ExplainPlan): string {
  const seconds = window.to - window.from;
  return (
    `simulated: ${seeds} seeds, ${seconds} s each after ${window.from} s of warm-up; ` +
    `+- is the 99.9 % bound of their mean\n${remark === null ? '' : `note: ${remark}\n`}`
  );
}

function simulatedCells({ simulated }: Compared): string[] {
  if (simulated === null) return ['-', '', '', ''];
  const { mean, bound, difference, inside } = simulated;
  return [
    shown(mean),
    bound === null ? '' : shown(bound),
    difference === null ? '' : inWords(difference),
    inside === false ? 'OUTSIDE' : '',
  ];
}

function formulaKey({ formula, source, remark }: Compared): string {
  return `${formula}\n${source}\n${remark ?? ''}`;
}

/** Each formula once, with the numbers of every place that uses it. */
function formulas(answers: readonly Compared[], numbers: ReadonlyMap<string, number>): string {
  return [...numbers]
    .map(([key, number]) => {
      const using = answers.filter((one) => formulaKey(one) === key && one.standing !== 'unknown');
      const [first] = using;
      if (first === undefined) return '';
      const remark = first.remark === null ? '' : `     ${first.standing}: ${first.remark}\n`;
      const inputs = [...new Set(using.map(inputsText))].filter((text) => text !== '');
      return `[${number}] ${first.formula}\n     ${first.source}\n${remark}${inputs.join('')}`;
    })
    .join('');
}

function inputsText({ at, inputs }: Compared): string {
  const all = Object.entries(inputs).map(([name, value]) => `${name} ${shown(value)}`);
  return all.length === 0 ? '' : `     ${at}: ${all.join(', ')}\n`;
}

function reasons(answers: readonly Compared[]): string {
  const byReason = new Map<string, string[]>();
  for (const { at, quantity, standing, remark } of answers) {
    if (standing !== 'unknown' || remark === null) continue;
    byReason.set(remark, [...(byReason.get(remark) ?? []), `${at}: ${WORDS[quantity]}`]);
  }
  if (byReason.size === 0) return '';
  const lines = [...byReason].map(([why, what]) => `  ${why}\n      ${what.join('; ')}\n`);
  return `\nNot known, and why:\n${lines.join('')}`;
}

/** After which stall the simulator was stuck: what no formula says. */
function stallsText(answers: readonly Compared[]): string {
  const runs = answers.flatMap(({ at, stalls = [] }) => stalls.map((run) => ({ at, ...run })));
  const kinds = [...new Set(runs.map(({ at, lasts }) => `${at} ${lasts}`))];
  const lines = kinds.map((kind) => {
    const alike = runs.filter(({ at, lasts }) => `${at} ${lasts}` === kind);
    const [{ at, hop, lasts, recovery } = { at: '', hop: '', lasts: 0, recovery: 0 }] = alike;
    const stuck = alike.filter((run) => run.stuck).length;
    return (
      `  ${hop} stalled for ${lasts} s: ${at} is stuck ${recovery} s later in ${stuck} of ` +
      `${alike.length} runs\n`
    );
  });
  return lines.length === 0 ? '' : `\nStalls in the simulator:\n${lines.join('')}`;
}

/** Once in thirty years a second, or less; and as seldom or as long the other way about. */
const HARDLY = 1e-9;
const ENDLESS = 1e12;

/** What nobody will ever see needs no digits; --json has them, and so have the formulas. */
function inWords(value: number | boolean | null): string {
  if (typeof value !== 'number' || value === 0 || !Number.isFinite(value)) return shown(value);
  if (Math.abs(value) < HARDLY) return 'practically none';
  return Math.abs(value) > ENDLESS ? 'practically endless' : shown(value);
}

function shown(value: number | boolean | null): string {
  if (value === null) return '-';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (!Number.isFinite(value)) return 'no limit';
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return String(value);
  const digits = value.toPrecision(4);
  return digits.includes('e') ? Number(digits).toExponential() : digits;
}
