/** What the values of options may be. */
import { InvalidArgumentError } from 'commander';

type Parse = (text: string) => number;

function numberThat(expected: string, holds: (value: number) => boolean): Parse {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !holds(value)) throw new InvalidArgumentError(`expected ${expected}`);
    return value;
  };
}

export function number(minimum: number): Parse {
  const expected = `a number of at least ${minimum}`;
  return numberThat(expected, (value) => Number.isFinite(value) && value >= minimum);
}

export function whole(minimum: number): Parse {
  const expected = `a whole number of at least ${minimum}`;
  return numberThat(expected, (value) => Number.isSafeInteger(value) && value >= minimum);
}

export function wholeWithin(minimum: number, maximum: number): Parse {
  return numberThat(
    `a whole number from ${minimum} to ${maximum}`,
    (value) => Number.isInteger(value) && value >= minimum && value <= maximum,
  );
}

export const factor = numberThat(
  'a factor above 0',
  (value) => Number.isFinite(value) && value > 0,
);

export const port = numberThat(
  'a port, 0 to 65535',
  (value) => Number.isInteger(value) && value >= 0 && value <= 65_535,
);

/** Of an option that may be given several times. */
export function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}
