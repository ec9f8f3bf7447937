/**
 * Writes XML (SVG, and HTML that is also XML) from names, attributes and children. Every text
 * and every attribute goes through `escapeXml`: names in a recording may contain anything.
 */

/** Markup that has been escaped, or was made of escaped parts. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type Child = Markup | string | number | null | readonly Child[];
export type Attributes = Readonly<Record<string, string | number | null>>;

/** An attribute that is null, and a child that is null, are left out. */
export function element(name: string, attributes: Attributes, ...children: Child[]): Markup {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== null)
    .map(([key, value]) => ` ${key}="${attribute(value)}"`)
    .join('');
  const inner = markup(children).text;
  const empty = inner === '' && VOID.has(name);
  return new Markup(empty ? `<${name}${written}/>` : `<${name}${written}>${inner}</${name}>`);
}

export function markup(child: Child): Markup {
  if (child instanceof Markup) return child;
  if (child === null) return new Markup('');
  if (typeof child === 'object') return new Markup(child.map((one) => markup(one).text).join(''));
  return new Markup(escapeXml(String(child)));
}

/** Elements that are written without a closing tag; in HTML others must have one. */
const VOID = new Set(['circle', 'line', 'path', 'rect', 'meta', 'br', 'hr', 'img']);

function attribute(value: string | number | null): string {
  return typeof value === 'number' ? String(round(value)) : escapeXml(value ?? '');
}

/** A tenth of a pixel; also keeps pictures the same where sums of fractions differ. */
function round(value: number): number {
  return Math.round(value * 10) / 10;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/**
 * Control characters, which XML forbids, and those that turn the direction of writing, show as a
 * box.
 */
export function escapeXml(text: string): string {
  return text
    .replace(/[^\P{C}\n\t]/gu, '□')
    .replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}
