import { describe, expect, it } from 'vitest';
import type { Arrow, SequenceModel } from './sequence.ts';
import { sequenceSvg } from './svg.ts';

const plain = { step: 'arrow', style: 'request', text: null, isTrouble: false } as const;
const arrow = (more: Partial<Arrow> & Pick<Arrow, 'from' | 'to'>): Arrow => ({
  ...plain,
  count: 1,
  connection: 'c1',
  isFirst: false,
  ...more,
});

const model: SequenceModel = {
  which: 'actual',
  subject: 'client mobile/7, requests 1 to 2',
  participants: [
    { id: 'p1', name: 'JMETER', host: null },
    { id: 'p2', name: 'NLB', host: null },
    { id: 'p3', name: 'EC2 #4', host: 'p3' },
    { id: 'p4', name: 'ConnCtrl #4', host: 'p3' },
  ],
  legend: [{ step: 'note', over: ['p1', 'p4'], text: 'a number counts', isTrouble: false }],
  totals: [{ link: 'mobile->nlb', count: 2 }],
  steps: [
    { step: 'divider', text: 'request 1' },
    arrow({ from: 'p1', to: 'p2', isFirst: true }),
    arrow({ from: 'p2', to: 'p3', isFirst: true }),
    arrow({ from: 'p3', to: 'p4', style: 'repeat', text: 'same link' }),
    arrow({ from: 'p1', to: 'p2', count: 2, connection: 'c2', isFirst: true }),
    arrow({ from: 'p1', to: 'p2', count: 2, connection: 'c2' }),
    { step: 'note', over: ['p4'], text: 'held, unread for 3.2 s', isTrouble: true },
    arrow({ from: 'p2', to: 'p1', style: 'answer', count: null, text: '504', isTrouble: true }),
  ],
};

/** Numbers of one attribute of all elements with a class. */
function numbers(svg: string, tag: RegExp, name: string): number[] {
  return [...svg.matchAll(tag)].map(([text]) =>
    Number(new RegExp(`\\b${name}="([^"]*)"`).exec(text)?.[1]),
  );
}

describe('sequence diagram as SVG', () => {
  const svg = sequenceSvg([model]);

  it('fills a badge only where a connection carries its first request', () => {
    expect(svg.match(/class="badge first"/g)).toHaveLength(3);
    expect(svg.match(/class="badge request"/g)).toHaveLength(1);
    expect(svg.match(/class="badge repeat"/g)).toHaveLength(1);
    const counts = [...svg.matchAll(/class="count [a-z]+"[^>]*>(\d+)</g)].map((found) => found[1]);
    expect(counts).toEqual(['1', '1', '1', '2', '2']);
  });

  it('shows the host as a band behind its hops, and its arrow as the same link', () => {
    expect(svg.match(/class="band"/g)).toHaveLength(1);
    expect(svg.match(/class="tab"/g)).toHaveLength(1);
    expect(svg).toContain('class="way repeat"');
    expect(svg).toContain('>same link</text>');
  });

  it('draws nothing outside of the picture, and each step below the one before', () => {
    const [width = 0] = numbers(svg, /<svg[^>]*>/g, 'width');
    const [height = 0] = numbers(svg, /<svg[^>]*>/g, 'height');
    for (const x of numbers(svg, /<(?:rect|text)[^>]*>/g, 'x')) {
      expect(x).toBeGreaterThanOrEqual(0);
      expect(x).toBeLessThan(width);
    }
    for (const y of numbers(svg, /<(?:rect|text)[^>]*>/g, 'y')) expect(y).toBeLessThan(height);
    const ways = numbers(svg, /<line class="way[^>]*>/g, 'y1');
    expect(ways).toEqual([...ways].sort((x, y) => x - y));
    expect(new Set(ways).size).toBe(6);
  });

  it('says trouble in colour and in words, and is dark on a dark screen only', () => {
    expect(svg).toContain('class="way answer trouble"');
    expect(svg).toContain('>held, unread for 3.2 s</text>');
    expect(svg).toContain('@media screen and (prefers-color-scheme:dark)');
  });

  it('puts narrow diagrams beside each other, and names both', () => {
    const both = sequenceSvg([{ ...model, which: 'assumed' }, model]);
    const [one = 0] = numbers(svg, /<svg[^>]*>/g, 'width');
    const [two = 0] = numbers(both, /<svg[^>]*>/g, 'width');
    expect(two).toBeGreaterThan(2 * one);
    expect(both).toContain('aria-label="assumed: client mobile/7');
    expect(sequenceSvg([model, model, model])).toContain('translate(0 ');
    expect(sequenceSvg([model])).toBe(svg);
  });
});
