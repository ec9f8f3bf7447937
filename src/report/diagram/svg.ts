/**
 * Writes sequence diagrams as SVG, without a tool: the incident's diagrams, with what they mean
 * made visible. A badge on an arrow bears the count of connections; it is filled where this
 * request was the first on a connection, so that a column of filled badges is multiplication. A
 * host is a band behind its hops, and its own arrow is grey, because no connection ends there.
 *
 * The picture is dark on a dark screen and light on paper, needs nothing from elsewhere, and
 * its bytes depend on nothing but the model.
 */
import { type Child, element, Markup } from '../svg/element.ts';
import { wrapped } from '../svg/text-width.ts';
import { type Arrow, type Note, type SequenceModel, titleOf } from './sequence.ts';
import {
  badgeWidth,
  besideBadge,
  type Column,
  LABEL_SIZE,
  type Layout,
  labelWidth,
  layoutOf,
  MARGIN,
  noteText,
  noteWidth,
  type Row,
} from './svg-layout.ts';
import { SEQUENCE_CLASS, sequenceCss } from './svg-style.ts';

/** Between two diagrams of one picture. */
const DIAGRAM_GAP = 28;
const CAPTION_LINE = 18;
/** A wider picture is hard to read on a screen. */
const ROW_WIDTH_MAX = 1_240;
const KEY = 'a filled number: the first request on that connection';

/** One picture of one or more diagrams: beside each other while that is narrow, else below. */
export function sequenceSvg(models: readonly SequenceModel[]): string {
  const layouts = models.map((model) => layoutOf(model));
  const widths = layouts.map((layout) => layout.width);
  const row = widths.reduce((sum, width) => sum + width + DIAGRAM_GAP, -DIAGRAM_GAP);
  const isRow = row <= ROW_WIDTH_MAX;
  const cells = models.map((model, i) =>
    cellOf(model, layouts[i] ?? layoutOf(model), isRow ? (widths[i] ?? 0) : Math.max(...widths)),
  );
  let next = 0;
  const drawn = cells.map((cell) => {
    const transform = isRow ? `translate(${next} 0)` : `translate(0 ${next})`;
    next += (isRow ? cell.width : cell.height) + DIAGRAM_GAP;
    return element('g', { transform }, ...cell.children);
  });
  const width = isRow ? next - DIAGRAM_GAP : Math.max(...widths);
  const height = isRow ? Math.max(...cells.map((cell) => cell.height)) : next - DIAGRAM_GAP;
  const title = models.map(titleOf).join('; ');
  const attributes = {
    xmlns: 'http://www.w3.org/2000/svg',
    class: SEQUENCE_CLASS,
    role: 'img',
    'aria-label': title,
    width,
    height,
    viewBox: `0 0 ${width} ${height}`,
  };
  // The sheet is ours: no text of a recording comes into it.
  const style = element('style', {}, new Markup(sequenceCss()));
  return `${element('svg', attributes, style, ...drawn).text}\n`;
}

interface Cell {
  readonly width: number;
  readonly height: number;
  readonly children: readonly Child[];
}

/** One diagram with its captions, which may be as wide as `width`. */
function cellOf(model: SequenceModel, layout: Layout, width: number): Cell {
  const lines = captionsOf(model).flatMap((text) => wrapped(text, LABEL_SIZE, width - 2 * MARGIN));
  const captions = lines.map((text, i) =>
    label(text, MARGIN, layout.height + (i + 1) * CAPTION_LINE, { class: 'mute' }),
  );
  return {
    width,
    height: layout.height + lines.length * CAPTION_LINE + MARGIN,
    children: [...diagram(model, layout), ...captions],
  };
}

function captionsOf(model: SequenceModel): string[] {
  // Each link stays on one line.
  const totals = model.totals.map(({ link, count }) =>
    `${link.replace('->', ' → ')} ${count}`.replaceAll(' ', '\u00a0'),
  );
  return [
    `Connections used so far: ${totals.join(' · ')}`,
    `${sentence([...model.legend.map((note) => note.text), KEY].join('; '))}.`,
  ];
}

function diagram(model: SequenceModel, layout: Layout): Child[] {
  const at = new Map(layout.columns.map((column) => [column.participant.id, column]));
  return [
    label(sentence(model.which), MARGIN, MARGIN + 14, { class: 'heading' }),
    label(model.subject, MARGIN, MARGIN + 34, { class: 'mute' }),
    ...bands(layout),
    ...layout.columns.flatMap((column) => lifeline(column, layout)),
    ...layout.rows.map((row) => step(row, { at, layout })),
  ];
}

/** One band for each host, behind the host's lifeline and those of its hops. */
function bands({ columns, namesTop, bottom }: Layout): Child[] {
  return columns.flatMap((column): Child[] => {
    const { id, host } = column.participant;
    if (host !== id) return [];
    const last = columns.filter((one) => one.participant.host === id).at(-1) ?? column;
    const x = column.x - column.width / 2 - 8;
    const right = last.x + last.width / 2 + 8;
    const y = namesTop - 8;
    const size = { width: right - x, height: bottom - y + 4 };
    return [element('rect', { class: 'band', x, y, ...size, rx: 8 })];
  });
}

function lifeline(column: Column, { namesTop, namesHeight, bottom }: Layout): Child[] {
  const { x, width, participant, name } = column;
  const isHost = participant.host === participant.id;
  const y = namesTop + namesHeight;
  const box = { x: x - width / 2, y: namesTop, width, height: namesHeight, rx: 5 };
  return [
    element('line', { class: isHost ? 'hostlife' : 'life', x1: x, y1: y, x2: x, y2: bottom }),
    element('rect', { class: isHost ? 'tab' : 'box', ...box }),
    label(name, x, namesTop + 20, { class: 'name', 'text-anchor': 'middle' }),
  ];
}

interface Frame {
  readonly at: ReadonlyMap<string, Column>;
  readonly layout: Layout;
}

function step({ step: one, y }: Row, frame: Frame): Child {
  switch (one.step) {
    case 'divider':
      return [
        element('line', {
          class: 'rule',
          x1: MARGIN,
          y1: y,
          x2: frame.layout.width - MARGIN,
          y2: y,
        }),
        divider(one.text, y),
      ];
    case 'note':
      return note(one, y, frame);
    case 'arrow':
      return arrow(one, y, frame);
  }
}

/** On a piece of paper of its own, so that the rule does not cross it. */
function divider(text: string, y: number): Child {
  const box = { x: MARGIN, y: y - 10, width: noteWidth(text) - 4, height: 20 };
  return [
    element('rect', { ...box, class: 'box', rx: 10 }),
    label(noteText(text), MARGIN + 8, y + 4, { class: 'mute' }),
  ];
}

function note(one: Note, y: number, { at, layout: { width } }: Frame): Child {
  const over = one.over.map((id) => at.get(id)?.x ?? 0);
  const middle = over.reduce((sum, x) => sum + x, 0) / over.length;
  const box = { width: noteWidth(one.text), height: 24 };
  const x = Math.min(Math.max(middle - box.width / 2, 4), width - 4 - box.width);
  const centre = { class: 'trouble', 'text-anchor': 'middle' };
  return [
    element('rect', { class: 'note', x, y: y - 12, ...box, rx: 12 }),
    label(noteText(one.text), x + box.width / 2, y + 4, centre),
  ];
}

function arrow(one: Arrow, y: number, { at, layout }: Frame): Child {
  const from = at.get(one.from)?.x ?? 0;
  const to = at.get(one.to)?.x ?? 0;
  const forth = to >= from ? 1 : -1;
  const look = one.isTrouble ? `${one.style} trouble` : one.style;
  const tip = to - forth * 2;
  const wing = tip - forth * 8;
  const path = `M${tip} ${y}L${wing} ${y - 4.5}L${wing} ${y + 4.5}Z`;
  return [
    element('line', { class: `way ${look}`, x1: from, y1: y, x2: wing, y2: y }),
    element('path', { class: `head ${look}`, d: path }),
    ...arrowLabel(one, look, { y, middle: lastGap(one, forth, layout) }),
  ];
}

/** The middle of the gap before the column that an arrow ends at: there its label stands. */
function lastGap(one: Arrow, forth: number, { columns }: Layout): number {
  const end = columns.findIndex((column) => column.participant.id === one.to);
  const target = columns[end]?.x ?? 0;
  const before = columns[end - forth]?.x ?? target;
  return (target + before) / 2;
}

function arrowLabel(
  one: Arrow,
  look: string,
  { y, middle }: { readonly y: number; readonly middle: number },
): Child[] {
  const text = besideBadge(one);
  if (one.count === null) {
    return [label(text, middle, y - 6, { class: look, 'text-anchor': 'middle' })];
  }
  const left = middle - labelWidth(one) / 2 - 4;
  const width = badgeWidth(one.count);
  const badge = one.isFirst && one.style === 'request' ? 'first' : one.style;
  const centre = { class: `count ${badge}`, 'text-anchor': 'middle' };
  return [
    element('rect', { class: `badge ${badge}`, x: left, y: y - 9, width, height: 18, rx: 9 }),
    label(String(one.count), left + width / 2, y + 4, centre),
    ...(text === '' ? [] : [label(text, left + width + 4, y - 5, { class: 'mute' })]),
  ];
}

function label(
  text: string,
  x: number,
  y: number,
  attributes: Readonly<Record<string, string>>,
): Markup {
  return element('text', { x, y, ...attributes }, text);
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
