/** The colours of the canvas are those of the style sheet, which knows dark and light. */
export interface Palette {
  readonly surface: string;
  readonly tank: string;
  readonly line: string;
  readonly text: string;
  readonly muted: string;
  readonly idle: string;
  readonly active: string;
  readonly waiting: string;
  readonly held: string;
  readonly closing: string;
  readonly hoarded: string;
  readonly accent: string;
}

const NAMES = [
  'surface',
  'tank',
  'line',
  'text',
  'muted',
  'idle',
  'active',
  'waiting',
  'held',
  'closing',
  'hoarded',
  'accent',
] as const;

export function readPalette(element: Element): Palette {
  const style = getComputedStyle(element);
  const entries = NAMES.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]);
  return Object.fromEntries(entries) as unknown as Palette;
}
