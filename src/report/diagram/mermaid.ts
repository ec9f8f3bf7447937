/**
 * Writes a sequence diagram for Mermaid. Ids are ours; every text goes through `escapeText`:
 * to Mermaid a semicolon ends a statement, a number sign begins an entity, and the bare word
 * `end` closes a block.
 */
import { escapeText } from './escape.ts';
import { type ArrowStyle, arrowLabel, type SequenceModel, type Step, titleOf } from './sequence.ts';

const ARROWS: Readonly<Record<ArrowStyle, string>> = {
  request: '->>',
  repeat: '->',
  answer: '-->>',
};

export function mermaid(model: SequenceModel): string {
  const first = model.participants[0]?.id ?? '';
  const last = model.participants.at(-1)?.id ?? '';
  const across = first === last ? first : `${first},${last}`;
  const lines = [
    'sequenceDiagram',
    `title ${plain(titleOf(model))}`,
    ...model.participants.map(({ id, name }) => `participant ${id} as ${plain(name)}`),
    ...[...model.legend, ...model.steps].map((step) => stepLine(step, across)),
  ];
  return `${lines.join('\n')}\n`;
}

function stepLine(step: Step, across: string): string {
  switch (step.step) {
    case 'arrow':
      return `${step.from}${ARROWS[step.style]}${step.to}: ${plain(arrowLabel(step))}`;
    case 'note':
      return `Note over ${step.over.join(',')}: ${plain(step.text)}`;
    case 'divider':
      return `Note over ${across}: ${plain(step.text)}`;
  }
}

function plain(text: string): string {
  const entity = (codePoint: number): string => `#${codePoint};`;
  const escaped = escapeText(text, '#', entity);
  return escaped.replace(/\bend\b/gi, (word) => `${entity(word.charCodeAt(0))}${word.slice(1)}`);
}
