/**
 * A YAML document that remembers where everything stands: its content as plain values, what is
 * wrong with its syntax, and the line and column of any path in it.
 *
 * YAML 1.2 core: no merge keys, no dates, no base-60 numbers (`12:00` is a text). One document
 * per file, at most 1 MiB, aliases are allowed but not without bound (`maxAliasCount`).
 */
import { type Document, isAlias, isMap, isNode, isScalar, isSeq, parseDocument, visit } from 'yaml';
import type { Problem } from './problem.ts';

export type Path = readonly (string | number)[];

export const TEXT_LENGTH_MAX = 1_048_576;
const ALIASES_MAX = 100;
const SYNTAX_PROBLEMS_MAX = 100;

const WORDS: Readonly<Record<string, { message: string; suggestion: string | null }>> = {
  DUPLICATE_KEY: { message: 'this key is given twice', suggestion: 'remove one of the two' },
  TAB_AS_INDENT: { message: 'a tab in the indentation', suggestion: 'indent with spaces' },
  RESOURCE_EXHAUSTION: { message: 'nested far too deeply', suggestion: null },
  MULTIPLE_DOCS: {
    message: 'more than one document in this file',
    suggestion: 'a file holds one topology: remove the "---"',
  },
};

export class SourceDocument {
  readonly file: string;
  /** The content as plain values; undefined when it could not be read at all. */
  readonly raw: unknown;
  readonly problems: readonly Problem[];
  /** The tree is what the author meant: nothing is wrong with it but duplicate keys. */
  readonly readable: boolean;
  readonly #text: string;
  /** Offset of the first character of each line. */
  readonly #starts: readonly number[];
  readonly #document: Document | null = null;

  constructor(text: string, file: string) {
    this.file = file;
    this.#text = text.slice(0, TEXT_LENGTH_MAX);
    this.#starts = lineStarts(this.#text);
    const problems: Problem[] = [];
    this.problems = problems;
    this.readable = false;
    if (text.length > TEXT_LENGTH_MAX) {
      problems.push(this.#at(0, 'the file is larger than 1 MiB', null));
      return;
    }
    const binary = text.search(/[\0\uFFFD]/);
    if (binary !== -1) {
      problems.push(this.#at(binary, 'this is no text in UTF-8', null));
      return;
    }
    try {
      const document = parseDocument(text, { prettyErrors: false, logLevel: 'error' });
      this.#document = document;
      problems.push(...this.#syntaxProblems(document));
      const fatal = document.errors.some((error) => error.code !== 'DUPLICATE_KEY');
      if (fatal || problems.length > document.errors.length) return;
      this.raw = document.toJS({ maxAliasCount: ALIASES_MAX });
      this.readable = true;
    } catch (error) {
      // Nesting deeper than the stack, or aliases that multiply without bound.
      const reason = error instanceof Error ? error.message : String(error);
      problems.push(this.#at(0, `this document cannot be read: ${reason}`, null));
    }
  }

  /** The problem at a path: at its value, or at its key. Where the path ends early, there. */
  problem(path: Path, place: 'key' | 'value', message: string, suggestion: string | null): Problem {
    return this.#at(this.#offset(path, place), message, suggestion);
  }

  /** The line of a path's value, from 1. */
  line(path: Path): number {
    return this.#row(this.#offset(path, 'value')) + 1;
  }

  #at(offset: number, message: string, suggestion: string | null): Problem {
    const row = this.#row(offset);
    const start = this.#starts[row] ?? 0;
    const lineText = this.#text.slice(start, this.#starts[row + 1]).replace(/[\r\n]+$/, '');
    const column = Math.min(offset - start, lineText.length) + 1;
    return { file: this.file, line: row + 1, column, message, suggestion, lineText };
  }

  /** The line of an offset, from 0: the last one that starts at or before it. */
  #row(offset: number): number {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.#starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #syntaxProblems(document: Document): Problem[] {
    const problems: Problem[] = [];
    for (const one of [...document.errors, ...document.warnings].slice(0, SYNTAX_PROBLEMS_MAX)) {
      const words = WORDS[one.code];
      const offset = one.pos[0];
      problems.push(this.#at(offset, words?.message ?? one.message, words?.suggestion ?? null));
    }
    visit(document, {
      Alias: (_key, node) => {
        if (node.resolve(document) !== undefined) return;
        const message = `the alias *${node.source} has no anchor before it`;
        problems.push(this.#at(start(node), message, `write &${node.source} where it is defined`));
      },
    });
    return problems;
  }

  #offset(path: Path, place: 'key' | 'value'): number {
    const document = this.#document;
    if (document === null) return 0;
    let here: unknown = document.contents;
    let offset = start(here);
    for (const [index, segment] of path.entries()) {
      if (isAlias(here)) here = here.resolve(document);
      if (isSeq(here)) {
        here = here.items[Number(segment)];
        if (!isNode(here)) return offset;
        offset = start(here);
        continue;
      }
      if (!isMap(here)) return offset;
      const pair = here.items.find((one) => isScalar(one.key) && String(one.key.value) === segment);
      if (pair === undefined) return offset;
      const wantsKey = place === 'key' && index === path.length - 1;
      const empty = !isNode(pair.value) || (isScalar(pair.value) && pair.value.source === '');
      offset = start(wantsKey || empty ? pair.key : pair.value);
      here = pair.value;
    }
    return offset;
  }
}

function start(node: unknown): number {
  return isNode(node) ? (node.range?.[0] ?? 0) : 0;
}

/** Own counting: yaml's LineCounter loses lines in text that is not well-formed. */
function lineStarts(text: string): number[] {
  const starts = [0];
  for (const found of text.matchAll(/\r\n|\n|\r/g)) starts.push(found.index + found[0].length);
  return starts;
}
