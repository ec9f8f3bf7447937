/** Style sheet of SVG sequence diagrams. Every rule is below one class, for pages that embed. */
import { paletteRules } from '../palette.ts';

const RULES: readonly (readonly [selector: string, declarations: string])[] = [
  ['text', 'fill:var(--ink)'],
  ['.mute', 'fill:var(--muted)'],
  ['.heading', 'font-weight:700;font-size:18px'],
  ['.name', 'font-size:13px;font-weight:600'],
  ['.box', 'fill:var(--paper);stroke:var(--muted)'],
  ['.band', 'fill:var(--panel);stroke:var(--line)'],
  ['.tab', 'fill:var(--panel);stroke:var(--muted);stroke-dasharray:3 3'],
  ['.life', 'stroke:var(--line);stroke-width:1.5'],
  ['.hostlife', 'stroke:var(--line);stroke-dasharray:2 5'],
  ['.rule', 'stroke:var(--line)'],
  ['.way', 'stroke:var(--ink);stroke-width:1.5'],
  ['.head', 'fill:var(--ink)'],
  ['.way.repeat', 'stroke:var(--muted);stroke-dasharray:2 3'],
  ['.head.repeat', 'fill:var(--muted)'],
  ['.way.answer', 'stroke:var(--good);stroke-dasharray:6 4'],
  ['.head.answer,text.answer', 'fill:var(--good)'],
  ['.way.trouble', 'stroke:var(--held)'],
  ['.head.trouble,text.trouble', 'fill:var(--held)'],
  ['.badge', 'fill:var(--paper);stroke:var(--active);stroke-width:1.5'],
  ['.badge.first', 'fill:var(--active)'],
  ['.badge.repeat', 'fill:var(--panel);stroke:var(--muted);stroke-width:1'],
  ['text.count', 'fill:var(--active);font-weight:700'],
  ['text.count.first', 'fill:var(--on-accent)'],
  ['text.count.repeat', 'fill:var(--muted);font-weight:400'],
  ['.note', 'fill:var(--paper);stroke:var(--held);stroke-width:1.5'],
];

const FONT = 'system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif';

export const SEQUENCE_CLASS = 'wh-sequence';

export function sequenceCss(): string {
  const root = `.${SEQUENCE_CLASS}`;
  const rules = RULES.map(([selectors, declarations]) => {
    const scoped = selectors.split(',').map((selector) => `${root} ${selector}`);
    return `${scoped.join(',')}{${declarations}}`;
  });
  const base = `${root}{background:var(--paper);font:12px ${FONT}}`;
  return [paletteRules(root), base, ...rules].join('');
}
