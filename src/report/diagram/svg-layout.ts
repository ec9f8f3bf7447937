/**
 * Where everything of a sequence diagram goes: a column for each participant, a row for each
 * step. Columns are as far apart as their names and the labels between neighbours need.
 */
import { shortened, textWidth } from '../svg/text-width.ts';
import type { Arrow, Participant, SequenceModel, Step } from './sequence.ts';

const NAME_SIZE = 13;
export const LABEL_SIZE = 12;
export const MARGIN = 20;
const COLUMN_GAP_MIN = 84;
const NAME_CHARACTERS_MAX = 22;
const NOTE_CHARACTERS_MAX = 48;
/** From the top: heading, subject, a gap, the names. */
const NAMES_TOP = 74;
const NAMES_HEIGHT = 30;
const ROW_HEIGHTS: Readonly<Record<Step['step'], number>> = { arrow: 34, note: 34, divider: 40 };
const BADGE_RADIUS = 9;

export interface Column {
  readonly participant: Participant;
  readonly name: string;
  readonly x: number;
  /** Of the box with the name. */
  readonly width: number;
}

export interface Row {
  readonly step: Step;
  /** The middle of the row. */
  readonly y: number;
}

export interface Layout {
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
  readonly namesTop: number;
  readonly namesHeight: number;
  /** Where lifelines end. */
  readonly bottom: number;
  readonly width: number;
  /** Without captions. */
  readonly height: number;
}

export function layoutOf(model: SequenceModel): Layout {
  const columns = columnsOf(model);
  let y = NAMES_TOP + NAMES_HEIGHT + 10;
  const rows = model.steps.map((step): Row => {
    const height = ROW_HEIGHTS[step.step];
    y += height;
    return { step, y: y - height / 2 };
  });
  const bottom = y + 12;
  const last = columns.at(-1);
  const drawn = (last?.x ?? 0) + (last?.width ?? 0) / 2;
  const notes = rows.map(({ step }) => (step.step === 'note' ? noteWidth(step.text) : 0));
  const width = Math.max(drawn, 360, ...notes) + MARGIN;
  return {
    columns,
    rows,
    namesTop: NAMES_TOP,
    namesHeight: NAMES_HEIGHT,
    bottom,
    width: Math.ceil(width),
    height: Math.ceil(bottom + 8),
  };
}

export function noteText(text: string): string {
  return shortened(text, NOTE_CHARACTERS_MAX);
}

export function noteWidth(text: string): number {
  return textWidth(noteText(text), LABEL_SIZE) + 20;
}

/** What stands on an arrow beside the badge. */
export function besideBadge(arrow: Arrow): string {
  return shortened(arrow.text ?? arrow.connection ?? '', NOTE_CHARACTERS_MAX);
}

export function labelWidth(arrow: Arrow): number {
  const text = besideBadge(arrow);
  const badge = arrow.count === null ? 0 : badgeWidth(arrow.count);
  return badge + (text === '' ? 0 : textWidth(text, LABEL_SIZE) + 5);
}

/** A circle for one or two digits, a pill for more. */
export function badgeWidth(count: number): number {
  return Math.max(BADGE_RADIUS * 2, textWidth(String(count), LABEL_SIZE) + 10);
}

function columnsOf(model: SequenceModel): Column[] {
  const names = model.participants.map(({ name }) => shortened(name, NAME_CHARACTERS_MAX));
  const widths = names.map((name) => textWidth(name, NAME_SIZE) + 22);
  const columns: Column[] = [];
  let x = 0;
  model.participants.forEach((participant, i) => {
    const width = widths[i] ?? 0;
    const before = columns[i - 1];
    const boxes = before === undefined ? 0 : (before.width + width) / 2 + 14;
    const label = before === undefined ? 0 : labelBetween(model, before.participant, participant);
    const enters = participant.host === participant.id ? 14 : 0;
    x = before === undefined ? MARGIN + width / 2 : x;
    if (before !== undefined) x += Math.max(COLUMN_GAP_MIN, boxes, label + 30) + enters;
    columns.push({ participant, name: names[i] ?? '', x, width });
  });
  return columns;
}

/** The widest label on an arrow that ends or begins between two neighbours. */
function labelBetween(model: SequenceModel, left: Participant, right: Participant): number {
  let widest = 0;
  for (const step of model.steps) {
    if (step.step !== 'arrow') continue;
    const forth = step.to === right.id;
    const back = step.to === left.id && step.from === right.id;
    if (forth || back) widest = Math.max(widest, labelWidth(step));
  }
  return widest;
}
