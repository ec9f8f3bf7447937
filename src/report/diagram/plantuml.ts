/**
 * Writes a sequence diagram for PlantUML (checked with 1.2020.2). Ids are ours; every text goes
 * through `escapeText`, as PlantUML would follow `!include`, `<img:...>` and more in it.
 */
import { escapeText } from './escape.ts';
import { type ArrowStyle, arrowLabel, type SequenceModel, type Step, titleOf } from './sequence.ts';

const ARROWS: Readonly<Record<ArrowStyle, string>> = {
  request: '->',
  repeat: '-[#999999]>',
  answer: '-->',
};

export function plantuml(model: SequenceModel): string {
  const lines = [
    '@startuml',
    `title ${plain(titleOf(model))}`,
    'hide footbox',
    ...model.participants.map(({ id, name }) => `participant "${plain(name)}" as ${id}`),
    ...[...model.legend, ...model.steps].map(stepLine),
    '@enduml',
  ];
  return `${lines.join('\n')}\n`;
}

function stepLine(step: Step): string {
  switch (step.step) {
    case 'arrow':
      return `${step.from} ${ARROWS[step.style]} ${step.to} : ${plain(arrowLabel(step))}`;
    case 'note':
      return `note over ${step.over.join(', ')} : ${plain(step.text)}`;
    case 'divider':
      return `== ${plain(step.text)} ==`;
  }
}

function plain(text: string): string {
  const hex = (codePoint: number): string => codePoint.toString(16).toUpperCase().padStart(4, '0');
  return escapeText(text, "'", (codePoint) => `<U+${hex(codePoint)}>`);
}
