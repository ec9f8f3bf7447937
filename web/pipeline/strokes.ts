/** How the states of connections are drawn: told apart by more than their colour. */
import { STATES, State } from '../data/snapshot.ts';
import type { Palette } from './palette.ts';

/** Room of a strand on the screen: it stands for several connections. */
export const STRAND = 2.5;

export const DASHES: Readonly<Record<State, readonly number[]>> = {
  [State.idle]: [],
  [State.active]: [],
  [State.waiting]: [5, 3],
  [State.held]: [1.5, 3],
  [State.closing]: [],
};

/** `dashes`: what is dashed is stroked with, null for the rest. */
export function stroke(
  context: CanvasRenderingContext2D,
  palette: Palette,
  state: State,
  width: number,
  dashes: CanvasPattern | null,
): void {
  context.strokeStyle = dashes ?? palette[STATES[state]];
  context.lineWidth = width;
  context.stroke();
}
