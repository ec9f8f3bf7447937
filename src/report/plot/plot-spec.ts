/** What a plot shows, before it is drawn. */
import type { Values } from '../run-data.ts';

/** Colours by meaning (`palette.ts`); lines are also told apart by their dashes. */
export type Tone = 'active' | 'held' | 'good' | 'closing' | 'idle';

export interface PlotLine {
  readonly label: string;
  readonly tone: Tone;
  /** By point. */
  readonly values: Values;
  /** Many of one kind (hosts): thin, and named once. */
  readonly isOneOfMany?: boolean;
  /** Of the run before a cure. */
  readonly isBefore?: boolean;
}

export interface PlotSpec {
  readonly title: string;
  /** What is counted, in what: `new connections per second on apigw->nlb`. */
  readonly what: string;
  readonly scale: 'linear' | 'log';
  readonly lines: readonly PlotLine[];
  /** A limit worth a line of its own: the slots. */
  readonly bound: { readonly value: number; readonly label: string } | null;
  /** Seconds that a point stands for; it stands at the start of them. */
  readonly secondsPerPoint: number;
}

/** The first two lines of a plot differ in lightness; further ones are dashed. */
const DASHES = ['none', 'none', '6 2', '2 2', '8 2 2 2'];
const BEFORE = '4 4';

/** For `stroke-dasharray`. */
export function dashOf(line: PlotLine, index: number): string {
  if (line.isOneOfMany === true) return 'none';
  return line.isBefore === true ? BEFORE : (DASHES[index % DASHES.length] ?? 'none');
}
