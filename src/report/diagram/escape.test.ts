import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { requireProgram } from '../../../test/support/skips.ts';
import { mermaid } from './mermaid.ts';
import { plantuml } from './plantuml.ts';
import type { SequenceModel } from './sequence.ts';
import { sequenceSvg } from './svg.ts';

const anything = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constantFrom(
    'x\n@enduml\n!include /etc/passwd',
    '<img:/etc/passwd>',
    '"end" as p9',
    '%date() $x <&key> [[http://x]] <U+0041> &#65; \\n ~** -- __ //',
    'end; participant x #59;',
    "' comment",
    '\u202eevil\u0000',
  ),
);
const hostileModel: fc.Arbitrary<SequenceModel> = fc
  .record({ title: anything, one: anything, two: anything, note: anything, text: anything })
  .map(({ title, one, two, note, text }) => ({
    which: 'actual',
    subject: `t${title}`,
    participants: [
      { id: 'p1', name: `n${one}`, host: null },
      { id: 'p2', name: `n${two}`, host: 'p2' },
    ],
    legend: [],
    totals: [{ link: one, count: 1 }],
    steps: [
      { step: 'divider', text: `d${text}` },
      { step: 'note', over: ['p1', 'p2'], text: `n${note}`, isTrouble: false },
      {
        step: 'arrow',
        style: 'request',
        from: 'p1',
        to: 'p2',
        count: 1,
        connection: `c${note}`,
        text,
        isFirst: true,
        isTrouble: false,
      },
    ],
  }));

/** What a text may be made of: nothing that either notation gives a meaning to. */
const SAFE = {
  plantuml: /^(?:[\p{L}\p{N} .,:()?\-/_+#µ×]|<U\+[0-9A-F]{4,6}>)*$/u,
  mermaid: /^(?:[\p{L}\p{N} .,:()?\-/_+'µ×]|#\d+;)*$/u,
};

function oneOf(...lines: readonly string[]): RegExp {
  return new RegExp(`^(?:${lines.join('|')})$`, 'u');
}

describe('escaping', () => {
  it('leaves no line and no sign that PlantUML would follow', () => {
    const line = oneOf(
      'title (.*)',
      'participant "(.*)" as p[12]',
      '== (.*) ==',
      'note over p1, p2 : (.*)',
      'p1 -> p2 : (.*)',
      'hide footbox|@startuml|@enduml',
    );
    fc.assert(
      fc.property(hostileModel, (model) => {
        const lines = plantuml(model).trimEnd().split('\n');
        expect(lines.length).toBe(9);
        for (const one of lines) {
          const texts = line.exec(one)?.slice(1) ?? ['"'];
          for (const text of texts) expect(text ?? '').toMatch(SAFE.plantuml);
          expect(texts.join('')).not.toMatch(/--|\/\/|__/);
        }
      }),
    );
  });

  it('leaves no line and no sign that Mermaid would follow', () => {
    const line = oneOf(
      'sequenceDiagram',
      'title (.*)',
      'participant p[12] as (.*)',
      'Note over p1,p2: (.*)',
      'p1->>p2: (.*)',
    );
    fc.assert(
      fc.property(hostileModel, (model) => {
        const lines = mermaid(model).trimEnd().split('\n');
        expect(lines.length).toBe(7);
        for (const one of lines) {
          const texts = line.exec(one)?.slice(1) ?? [';'];
          for (const text of texts) expect(text ?? '').toMatch(SAFE.mermaid);
          expect(texts.join('')).not.toMatch(/\bend\b/i);
        }
      }),
    );
  });

  it('keeps what people read', () => {
    const model: SequenceModel = {
      which: 'actual',
      subject: 'mobile/7, requests 1 to 3: 12 µs (golden-connections)',
      participants: [{ id: 'p1', name: 'EC2 #2', host: 'p1' }],
      legend: [],
      totals: [],
      steps: [],
    };
    expect(plantuml(model)).toContain(`title actual: ${model.subject}\n`);
    expect(plantuml(model)).toContain('participant "EC2 #2" as p1');
    expect(mermaid(model)).toContain('participant p1 as EC2 #35;2');
  });

  it('leaves no element and no attribute that is not ours in SVG', () => {
    const ours = new Set(['svg', 'style', 'g', 'rect', 'line', 'path', 'text']);
    fc.assert(
      fc.property(hostileModel, (model) => {
        const svg = sequenceSvg([model]);
        for (const [, name] of svg.matchAll(/<\/?([^\s/>]*)/g)) expect(ours).toContain(name);
        for (const [, rest = ''] of svg.matchAll(/<[a-z]+([^<>]*)>/g)) {
          const names = rest.replace(/"[^"<>&']*(?:&[a-z#0-9]+;[^"<>&']*)*"/g, '""');
          expect(names).toMatch(/^(?: [a-zA-Z0-9-]+="")*\/?$/);
          expect(names).not.toMatch(/ on|href|src=/);
        }
        expect(svg.replace(/\n$/, '')).not.toMatch(/[^\P{C}\n\t]/u);
      }),
    );
  });

  it('is accepted by PlantUML whatever the names are', (context) => {
    const program = requireProgram('plantuml', context);
    // All at once: it says of each diagram what it is, and its start takes a second.
    const input = fc.sample(hostileModel, 4).map(plantuml).join('\n');
    const run = spawnSync(program, ['-charset', 'UTF-8', '-syntax'], { input });
    const kinds = run.stdout.toString().match(/^[A-Z]+$/gm);
    expect([run.status, kinds]).toEqual([0, Array.from({ length: 4 }, () => 'SEQUENCE')]);
  });
});
