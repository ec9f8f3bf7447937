/**
 * The failed tests of a vitest JSON report, few lines each, so that whoever sees only the first
 * kilobytes of our output knows which tests failed and why.
 *
 * The report has no code frame; it is made of the first line of the stack that lies in the
 * project. A file that could not even be loaded counts as one failed test, named by the file.
 * Errors outside of any test are not in the report: the step's whole output has them.
 */
import { existsSync, readFileSync } from 'node:fs';
import { isAbsolute, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';

/** A message is cut after so many lines, and a line after so many characters. */
const messageLinesMax = 6;
const lineCharactersMax = 160;
const testsMax = 40;

/**
 * @param {string} report path of the JSON report
 * @param {string} root
 * @returns {{name: string, lines: string[]}[]} name: `file > suite > test`
 */
export function failedTests(report, root) {
  if (!existsSync(report)) {
    return [];
  }
  const { testResults } = JSON.parse(readFileSync(report, 'utf8'));
  return testResults.flatMap((result) => {
    const file = relative(root, result.name);
    const failed = result.assertionResults.filter((test) => test.status === 'failed');
    if (result.status === 'failed' && failed.length === 0) {
      return [{ name: file, lines: explain(result.message, root) }];
    }
    return failed.map((test) => ({
      name: [file, ...test.ancestorTitles, test.title].join(' > '),
      lines: explain(test.failureMessages.join('\n'), root),
    }));
  });
}

/** The list as text; what goes beyond the limits is counted, not shown. */
export function compactList(tests) {
  const shown = tests.slice(0, testsMax);
  const rest = tests.length - shown.length;
  return [
    ...shown.flatMap(({ name, lines }) => [`  x ${name}`, ...lines.map((line) => `      ${line}`)]),
    ...(rest > 0 ? [`  ... and ${rest} more`] : []),
  ].join('\n');
}

function explain(text, root) {
  const lines = stripVTControlCharacters(text).split('\n');
  const firstFrame = lines.findIndex((line) => /^\s+at /.test(line));
  const message = firstFrame === -1 ? lines : lines.slice(0, firstFrame);
  const words = message.filter((line) => line.trim() !== '').slice(0, messageLinesMax);
  return [...words, ...codeFrame(lines, root)].map((line) => line.slice(0, lineCharactersMax));
}

/** The line of the first place in the project's own code, with the one before and after it. */
function codeFrame(stack, root) {
  for (const frame of stack) {
    const found = /^\s+at .*?((?:file:\/\/)?\/[^():]+):(\d+):\d+\)?$/.exec(frame);
    if (found === null) {
      continue;
    }
    const path = found[1].startsWith('file:') ? fileURLToPath(found[1]) : found[1];
    const place = relative(root, path);
    const isOurs = !place.startsWith('..') && !isAbsolute(place) && !/node_modules/.test(place);
    if (!isOurs || !existsSync(join(root, place))) {
      continue;
    }
    const source = readFileSync(join(root, place), 'utf8').split('\n');
    const line = Number(found[2]);
    const around = [line - 1, line, line + 1].filter((one) => source[one - 1] !== undefined);
    const shown = around.map((one) => `${one === line ? '>' : ' '} ${one} | ${source[one - 1]}`);
    return [`at ${place}:${line}`, ...shown];
  }
  return [];
}
