/**
 * Reads a targets file: YAML -> schema -> what must fit together. Everything that is wrong with
 * it is reported at once, with its line, as for topology documents.
 */
import { z } from 'zod';
import { type Path, SourceDocument } from '../topology/document.ts';
import type { Problem } from '../topology/index.ts';
import { parseDuration, shown } from '../topology/units.ts';
import { saidOf } from './target-issues.ts';
import { type Parameter, type Range, STATISTICS, type Target, type Targets } from './targets.ts';

export type ReadTargets = Targets | { readonly problems: readonly Problem[] };

const scalar = z.union([z.string(), z.number(), z.boolean()]);
const duration = scalar.transform((raw, context) => {
  const parsed = parseDuration(raw);
  if ('value' in parsed) return parsed.value;
  context.addIssue({ code: 'custom', message: parsed.message });
  return z.NEVER;
});
const texts = z.union([z.string(), z.array(z.string())]).transform((one) => [one].flat());

const windowSchema = z.strictObject({
  document: z.string().nullable().default(null),
  set: z.array(z.string()).default([]),
  from: duration.default(0),
  lasts: duration,
  scale: z.number().positive().default(1),
  once: z.boolean().default(false),
});
const parameterSchema = z.strictObject({
  path: z.string(),
  values: z.array(scalar).min(2).optional(),
  between: z.tuple([scalar, scalar]).optional(),
  spacing: z.enum(['linear', 'log']).default('linear'),
});
const targetSchema = z.strictObject({
  name: z.string(),
  window: z.string(),
  measure: texts,
  statistic: z.enum(STATISTICS).default('mean'),
  bound: z.number().nullable().default(null),
  minutes: z.tuple([z.int().positive(), z.int().positive()]).nullable().default(null),
  over: z.string().nullable().default(null),
  factor: z.string().nullable().default(null),
  between: z.tuple([z.number(), z.number()]),
  weight: z.number().positive().default(1),
  use: z.enum(['fit', 'predict']),
  note: z.string().nullable().default(null),
});
const schema = z.strictObject({
  windows: z.record(z.string(), windowSchema),
  parameters: z.array(parameterSchema).min(1),
  targets: z.array(targetSchema).min(1),
});
type Raw = z.infer<typeof schema>;

const ENTRIES: Readonly<Record<string, z.ZodObject>> = {
  windows: windowSchema,
  parameters: parameterSchema,
  targets: targetSchema,
};

function keysAt([first]: Path): readonly string[] {
  return Object.keys((first === undefined ? schema : ENTRIES[first])?.shape ?? {});
}
type Say = (path: Path, message: string, suggestion?: string) => void;

/** `file` is only a name for messages. Never throws for what the document says. */
export function readTargets(text: string, file: string): ReadTargets {
  const document = new SourceDocument(text, file);
  const problems: Problem[] = [...document.problems];
  if (!document.readable) return { problems };
  const say: Say = (path, message, suggestion) => {
    problems.push(document.problem(path, 'value', message, suggestion ?? null));
  };
  const checked = schema.safeParse(document.raw);
  if (!checked.success) {
    for (const issue of checked.error.issues) {
      for (const { path, place, message, suggestion } of saidOf(document.raw, issue, keysAt)) {
        problems.push(document.problem(path, place, message, suggestion));
      }
    }
    return { problems: byLine(problems) };
  }
  const targets = resolve(checked.data, say);
  return problems.length > 0 ? { problems: byLine(problems) } : targets;
}

function resolve({ windows, parameters, targets }: Raw, say: Say): Targets {
  const names = Object.keys(windows);
  for (const [index, target] of targets.entries()) {
    checkTarget(target, ['targets', index], names, say);
  }
  if (!targets.some(({ use }) => use === 'fit')) {
    say(['targets'], 'no target is fitted', 'write use: fit at those that guide the search');
  }
  return {
    windows: names.flatMap((name) => {
      const window = windows[name];
      return window === undefined ? [] : [{ name, ...window }];
    }),
    parameters: parameters.map((one, index) => parameterOf(one, ['parameters', index], say)),
    targets: targets.map(({ measure, between: [low, high], ...target }): Target => {
      return { ...target, measures: measure, low, high };
    }),
  };
}

function checkTarget(
  { window, over, between, statistic, bound, measure, minutes }: Raw['targets'][number],
  path: Path,
  windows: readonly string[],
  say: Say,
): void {
  const known = `windows are: ${windows.join(', ')}`;
  if (!windows.includes(window)) say([...path, 'window'], `no window "${window}"`, known);
  if (over !== null && !windows.includes(over))
    say([...path, 'over'], `no window "${over}"`, known);
  if (minutes !== null && minutes[0] > minutes[1]) {
    say([...path, 'minutes'], 'the first minute comes first');
  }
  if (between[0] > between[1]) say([...path, 'between'], 'the lower end comes first');
  if (statistic.startsWith('minutes') && bound === null) {
    say([...path, 'statistic'], `${statistic} needs a bound`, 'write bound: and a number');
  }
  for (const one of measure) {
    if (!/^.+\.[^.]+$/.test(one)) {
      say(
        [...path, 'measure'],
        `"${one}" is no measure`,
        'write <hop>.<measure>, <link>.<measure>',
      );
    }
  }
}

function parameterOf({ path, ...rest }: Raw['parameters'][number], at: Path, say: Say): Parameter {
  return { path, range: rangeOf(rest, at, say) };
}

function rangeOf(
  { values, between, spacing }: Omit<Raw['parameters'][number], 'path'>,
  at: Path,
  say: Say,
): Range {
  if ((values === undefined) === (between === undefined)) {
    say(at, 'give either values or between', 'values: [a, b], or between: [low, high]');
  }
  if (between === undefined) return { kind: 'values', values: (values ?? []).map(String) };
  const [low, high] = between.map((end, index) => endOf(end, [...at, 'between', index], say));
  if (low === undefined || high === undefined) return { kind: 'values', values: [] };
  const { unit } = low;
  if (high.unit === 'duration' && unit !== 'duration') {
    say([...at, 'between'], 'one end is a time and the other is not');
  }
  if (low.value >= high.value) say([...at, 'between'], 'the lower end comes first');
  if (spacing === 'log' && low.value <= 0) say([...at, 'between'], 'a log spacing begins above 0');
  const whole = unit === 'whole' && high.unit === 'whole';
  const found = unit === 'duration' || whole ? unit : 'number';
  return { kind: 'between', low: low.value, high: high.value, unit: found, spacing };
}

type End = { readonly value: number; readonly unit: 'number' | 'whole' | 'duration' };

function endOf(raw: unknown, at: Path, say: Say): End {
  if (typeof raw === 'number') {
    return { value: raw, unit: Number.isInteger(raw) ? 'whole' : 'number' };
  }
  const parsed = parseDuration(raw);
  if ('value' in parsed) return { value: parsed.value, unit: 'duration' };
  say(at, `expected a number or a time, found ${shown(raw)}`);
  return { value: 0, unit: 'number' };
}

function byLine(problems: readonly Problem[]): Problem[] {
  return [...problems].sort((a, b) => a.line - b.line || a.column - b.column);
}
