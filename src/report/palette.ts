/**
 * The colours of every picture: diagrams, plots, report and film. States have hues of Okabe and
 * Ito's set, which people of every kind of colour vision tell apart, and never carry a meaning
 * alone: width, dash or a word says the same. Dark is chosen by itself, not computed from light.
 */
export interface Palette {
  readonly paper: string;
  /** Cards, bands of hosts. */
  readonly panel: string;
  readonly ink: string;
  readonly muted: string;
  readonly line: string;
  /** Requests flow. */
  readonly active: string;
  readonly idle: string;
  /** A request waits unread. */
  readonly held: string;
  readonly closing: string;
  readonly good: string;
  readonly onAccent: string;
}

export const LIGHT: Palette = {
  paper: '#ffffff',
  panel: '#f4f6f9',
  ink: '#19202c',
  muted: '#5a6475',
  line: '#d3d9e3',
  active: '#0067a8',
  idle: '#8b96a8',
  held: '#c04a00',
  closing: '#a33f86',
  good: '#00795a',
  onAccent: '#ffffff',
};

export const DARK: Palette = {
  paper: '#10141b',
  panel: '#1a2029',
  ink: '#e8ecf3',
  muted: '#9ba7b9',
  line: '#333d4c',
  active: '#5cb8ee',
  idle: '#77839a',
  held: '#ff9248',
  closing: '#e08ac3',
  good: '#3fc79b',
  onAccent: '#10141b',
};

/** Custom properties `--paper`, `--on-accent`, ... of a palette, as CSS declarations. */
export function declarations(palette: Palette): string {
  return Object.entries(palette)
    .map(([name, value]) => `--${name.replace(/[A-Z]/g, (x) => `-${x.toLowerCase()}`)}:${value}`)
    .join(';');
}

/** Rules that give `selector` the palette: dark on a dark screen, light on paper. */
export function paletteRules(selector: string): string {
  return (
    `${selector}{${declarations(LIGHT)}}` +
    `@media screen and (prefers-color-scheme:dark){${selector}{${declarations(DARK)}}}`
  );
}
