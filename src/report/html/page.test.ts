import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { plotsOf } from '../plot/plots-of.ts';
import { HOSTILE, testRun } from '../test-run.ts';
import { reportPage } from './page.ts';

const finding = {
  kind: `k ${HOSTILE}`,
  hop: `h ${HOSTILE}`,
  severity: 'warning',
  title: `t ${HOSTILE}`,
  evidence: { [`e ${HOSTILE}`]: HOSTILE, unknown: null, list: [1, HOSTILE] },
  remedy: `r ${HOSTILE}`,
} as const;

function page(): string {
  const run = testRun({}, [finding]);
  const diagrams = { text: HOSTILE, pictures: [] };
  return reportPage({
    run,
    before: run,
    plots: plotsOf(run),
    pipeline: null,
    heat: null,
    diagrams,
  });
}

describe('page of a report', () => {
  it('shows hostile names as text and nothing else', () => {
    const html = page();
    expect(html).not.toContain('<script');
    expect(html).not.toContain('<img');
    expect(html.match(/<[^>]*\son[a-z]+=/g)).toBeNull();
    // The sheet in the head, and no other: a name cannot end or begin one.
    expect(html.match(/<style>/g)).toHaveLength(1);
    expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
  });

  it('allows its own style sheets by their hashes, and nothing else', () => {
    const html = page();
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(html)?.[1] ?? '';
    const sheet = /<style>([^<]*)<\/style>/.exec(html)?.[1] ?? '';
    const hash = createHash('sha256').update(sheet).digest('base64');
    expect(policy.replaceAll('&#39;', "'")).toBe(
      `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`,
    );
    expect(html).not.toMatch(/\sstyle="/);
    expect(html).not.toMatch(/(?:src|href)="(?!#)/);
    expect(html.match(/https?:\/\/(?!www\.w3\.org\/2000\/svg)/g)).toBeNull();
  });

  it('has the story before the pictures, and the same bytes each time', () => {
    const html = page();
    const order = ['what', 'when', 'why', 'change', 'unknown', 'charts', 'diagrams', 'findings'];
    const places = order.map((id) => html.indexOf(`<h2 id="${id}">`));
    expect(places.every((place) => place > 0)).toBe(true);
    expect(places).toEqual([...places].sort((x, y) => x - y));
    expect(page()).toBe(html);
  });

  it('names what CloudWatch names, and leaves out plots of nothing', () => {
    const titles = plotsOf(testRun()).map(({ title }) => title);
    expect(titles).toEqual([
      'Requests per new connection',
      'NewFlowCount',
      'ActiveFlowCount',
      'Answers',
      'Time to answer',
    ]);
    expect(page()).toContain('not known');
  });
});
