/**
 * A report as one HTML file that needs nothing else: no script, no request, style sheets allowed
 * by their hashes and by nothing else (Content-Security-Policy). All text is escaped by
 * `element`; a name from a recording can neither close a tag nor begin a style.
 */
import { createHash } from 'node:crypto';
import { clock } from '../numbers.ts';
import type { PlotSpec } from '../plot/plot-spec.ts';
import type { RunData } from '../run-data.ts';
import { storyOf } from '../story/story.ts';
import { element, Markup, markup } from '../svg/element.ts';
import { figures } from './figures.ts';
import { heading, paragraph, widePicture } from './parts.ts';
import {
  bookSection,
  findingSection,
  plotSection,
  reproduceSection,
  storySection,
  topologySection,
} from './sections.ts';
import { PAGE_CSS } from './style.ts';

export interface PageInput {
  readonly run: RunData;
  /** The run before a cure; its figures and lines are shown beside. */
  readonly before: RunData | null;
  readonly plots: readonly PlotSpec[];
  /** The pipeline at its worst; null where it cannot be drawn. */
  readonly pipeline: { readonly picture: Markup; readonly second: number } | null;
  /** Time to answer of every request; null where none is known. */
  readonly heat: Markup | null;
  /** SVG of the diagrams with a sentence about them, or why there are none. */
  readonly diagrams: { readonly text: string; readonly pictures: readonly string[] };
}

export function reportPage(input: PageInput): string {
  const { run, before } = input;
  const { info, summary } = run;
  const title = `${info.topology.name}: waterhammer report`;
  const body = element(
    'main',
    {},
    element('h1', {}, info.topology.name),
    paragraph(about(run), 'mute'),
    before === null ? null : paragraph(`Before: ${about(before)}`, 'mute'),
    lead(run),
    figures(run, before),
    storySection(storyOf(run)),
    pipelineSection(input),
    plotSection(
      run,
      input.plots,
      Math.max(run.series.length, before?.series.length ?? 0) * run.series.step,
    ),
    heatSection(input),
    diagramSection(input.diagrams),
    findingSection(run),
    bookSection(run),
    topologySection(run),
    reproduceSection(run),
  );
  const inner = markup([styleOf(PAGE_CSS), body]).text;
  const head = element(
    'head',
    {},
    element('meta', { charset: 'utf-8' }),
    element('meta', { 'http-equiv': 'Content-Security-Policy', content: policy(inner) }),
    element('meta', { name: 'viewport', content: 'width=device-width, initial-scale=1' }),
    element('meta', { name: 'color-scheme', content: 'light dark' }),
    element('meta', { name: 'generator', content: `waterhammer ${summary.version}` }),
    element('title', {}, title),
    styleOf(PAGE_CSS),
  );
  const page = element('html', { lang: 'en' }, head, element('body', {}, body));
  return `<!doctype html>\n${page.text}\n`;
}

function about({ info, summary }: RunData): string {
  const { engine, topology, seed, version, epoch, loadStart } = info;
  const when =
    engine === 'live'
      ? ` on ${new Date((epoch + loadStart) / 1e3).toISOString().slice(0, 16)} UTC`
      : '';
  const kind = engine === 'sim' ? 'Simulated' : engine === 'live' ? 'Run' : 'Captured';
  const length = clock(summary.durationSeconds);
  const description = topology.description === '' ? '' : `${topology.description}. `;
  return (
    `${description}${kind}${when.replace('T', ' ')}, ${length} long, seed ${seed}, ` +
    `waterhammer ${version}, topology ${info.topologyHash}.`
  );
}

function lead(run: RunData): Markup {
  const severity = run.summary.findings[0]?.severity ?? 'none';
  return element('p', { class: `lead ${severity}` }, storyOf(run).lead);
}

function pipelineSection({ pipeline }: PageInput): Markup | null {
  if (pipeline === null) return null;
  return markup([
    heading('The pipeline at its worst', 'pipeline'),
    paragraph(
      `Every connection at ${clock(pipeline.second)}: the last second in which nearly as many ` +
        'requests waited, or connections were open, as ever.',
    ),
    widePicture('the pipeline at its worst', pipeline.picture),
  ]);
}

function heatSection({ heat }: PageInput): Markup | null {
  if (heat === null) return null;
  return markup([
    heading('Time to answer, every request', 'heat'),
    paragraph('Darker where more requests ended, by orders of magnitude.', 'mute small'),
    widePicture('time to answer of every request', heat),
  ]);
}

/** In the order in which they are drawn. */
const DIAGRAMS = ['sequence diagram, as assumed', 'sequence diagram, as it was'];

function diagramSection({ text, pictures }: PageInput['diagrams']): Markup {
  return markup([
    heading('Assumed and actual', 'diagrams'),
    paragraph(text),
    // Written by `sequenceSvg`, which has escaped what is in it.
    pictures.map((picture, at) => widePicture(DIAGRAMS[at] ?? 'diagram', new Markup(picture))),
  ]);
}

/** The sheet is ours; `>` in it must not be escaped. */
function styleOf(css: string): Markup {
  return element('style', {}, new Markup(css));
}

/** Nothing may be loaded, and only the style sheets that the page was written with count. */
function policy(content: string): string {
  const sheets = [...content.matchAll(/<style>([^<]*)<\/style>/g)].map((found) => found[1] ?? '');
  const hashes = [...new Set(sheets)].map(
    (sheet) => `'sha256-${createHash('sha256').update(sheet).digest('base64')}'`,
  );
  return [
    "default-src 'none'",
    `style-src ${hashes.join(' ')}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
}
