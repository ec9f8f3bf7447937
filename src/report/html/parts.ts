/** Pieces of a report's page: tables, tiles, lists of moments. */
import { count } from '../numbers.ts';
import { type Child, element, type Markup } from '../svg/element.ts';

export function heading(text: string, id: string): Markup {
  return element('h2', { id }, text);
}

export function paragraph(text: string, kind: string | null = null): Markup {
  return element('p', { class: kind }, text);
}

export interface ColumnHead {
  readonly title: string;
  readonly isText?: boolean;
}

/** null is what is not known, and is shown as a dash. */
export function table(
  head: readonly ColumnHead[],
  rows: readonly (readonly (string | number | null)[])[],
): Markup {
  const kind = (i: number): string | null => (head[i]?.isText === true ? 'text' : null);
  const cell = (value: string | number | null, i: number): Markup =>
    element('td', { class: kind(i) }, cellText(value));
  return element(
    'div',
    // A table that is wider than a phone is scrolled, by keyboard too.
    { class: 'table', tabindex: 0, role: 'region', 'aria-label': head[0]?.title ?? '' },
    element(
      'table',
      {},
      element(
        'thead',
        {},
        element(
          'tr',
          {},
          head.map(({ title }, i) => element('th', { scope: 'col', class: kind(i) }, title)),
        ),
      ),
      element(
        'tbody',
        {},
        rows.map((row) => element('tr', {}, row.map(cell))),
      ),
    ),
  );
}

export function cellText(value: string | number | null): string {
  if (value === null) return '–';
  return typeof value === 'number' ? count(value) : value;
}

export function code(text: string): Markup {
  return element('pre', { tabindex: 0 }, element('code', {}, text));
}

export function details(title: string, ...children: Child[]): Markup {
  return element('details', {}, element('summary', {}, title), ...children);
}

/** What is wider than the page: scrolled, on paper made smaller. */
export function widePicture(label: string, picture: Markup): Markup {
  const attributes = { class: 'wide-picture', tabindex: 0, role: 'region', 'aria-label': label };
  return element('div', attributes, picture);
}
