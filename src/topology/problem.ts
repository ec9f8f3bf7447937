/**
 * A problem: one thing wrong with a document, where it is and what to write instead. All
 * problems of a document are reported at once, in the order of its lines, as esbuild does.
 *
 *   chain.yaml:12:16: error: queue.activeMax: expected a whole number, found "15x"
 *       12 |     activeMax: 15x
 *          |                ^
 *          = write 15
 */

export interface Problem {
  /** The document's name as given, or the option at fault (`--set`, `--scale`). */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 code units. */
  readonly column: number;
  readonly message: string;
  readonly suggestion: string | null;
  /** The whole line (or the option's text), without its end. */
  readonly lineText: string;
}

const LINE_WIDTH_MAX = 120;

/** All problems as text for a terminal, without colours, ending in a newline; '' for none. */
export function formatProblems(problems: readonly Problem[]): string {
  if (problems.length === 0) return '';
  const count = problems.length === 1 ? '1 error' : `${problems.length} errors`;
  return `${problems.map(formatProblem).join('\n')}\n${count}\n`;
}

function formatProblem(problem: Problem): string {
  const { file, line, column } = problem;
  const message = printable(problem.message);
  const { shown, caret } = excerpt(problem.lineText, column);
  const number = String(line).padStart(6);
  const gutter = ' '.repeat(number.length);
  const lines = [
    `${file}:${line}:${column}: error: ${message}`,
    `${number} | ${shown}`,
    `${gutter} | ${caret}^`,
  ];
  if (problem.suggestion !== null) lines.push(`${gutter} = ${printable(problem.suggestion)}`);
  return `${lines.join('\n')}\n`;
}

/** The part of a long line around the column, and what goes before the caret (tabs kept). */
function excerpt(lineText: string, column: number): { shown: string; caret: string } {
  const start = column > LINE_WIDTH_MAX ? column - LINE_WIDTH_MAX / 2 : 0;
  const shown = printable(lineText.slice(start, start + LINE_WIDTH_MAX));
  const caret = shown.slice(0, Math.max(0, column - 1 - start)).replace(/[^\t]/g, ' ');
  return { shown, caret };
}

/** What a terminal would act on (escape sequences of a binary file) is shown as a dot each. */
function printable(text: string): string {
  return text.replace(/[^\P{C}\t]/gu, (character) => '\u00b7'.repeat(character.length));
}

/** A problem with an option of the command line rather than with a line of the document. */
export function optionProblem(
  option: string,
  text: string,
  column: number,
  message: string,
  suggestion: string | null,
): Problem {
  return { file: option, line: 1, column, message, suggestion, lineText: text };
}
