/** A duration, or a word for one that lies elsewhere: another setting of the same hop. */
import type { Micros } from '../model/units.ts';
import { type DurationRow, duration, type Setting } from './setting.ts';
import { didYouMean } from './suggest.ts';
import { refuse } from './units.ts';

export function durationOr<W extends string>(
  row: DurationRow & { readonly word: W },
): Setting<Micros | W> {
  const plain = duration(row);
  const { word } = row;
  return {
    ...row,
    unit: 'duration',
    json: { ...plain.json, examples: ['5s', word] },
    parse: (raw) => {
      if (raw === word) return { value: word };
      const parsed = plain.parse(raw);
      if ('value' in parsed || typeof raw !== 'string' || /^[\d.-]/.test(raw)) return parsed;
      return refuse(parsed.message, didYouMean(raw, [word]) ?? `write 5s or ${word}`);
    },
    format: (value) => (value === word ? word : plain.format(Number(value))),
    stretch: (value, factor) => (value === word ? word : plain.stretch(Number(value), factor)),
    resize: (value) => value,
  };
}
