/** House numbers: lines of a file and of a function, columns of a line, names of files. */
import ts from 'typescript';
import { parse, placeOf, type SourceFile, walk } from './source-files.ts';

export const FILE_LINES_MAX = 400;
export const FUNCTION_LINES_MAX = 70;
export const LINE_COLUMNS_MAX = 100;

/** A file that may be longer, with the reason. */
export const longFiles: ReadonlyMap<string, string> = new Map([]);

export function tooLongFiles(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path, lines }) => lines.length > FILE_LINES_MAX && !longFiles.has(path))
    .map(({ path, lines }) => `${path}: ${lines.length} lines`);
}

export function tooLongLines(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, lines }) =>
    lines.flatMap((line, index) =>
      [...line].length > LINE_COLUMNS_MAX ? [`${path}:${index + 1}: ${[...line].length}`] : [],
    ),
  );
}

/** Functions of tests that only group tests (`describe`) are no functions in this sense. */
export function tooLongFunctions(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => {
    const tree = parse(file);
    const found: string[] = [];
    walk(tree, (node) => {
      if (!ts.isFunctionLike(node) || !('body' in node) || !node.body || groupsTests(node)) {
        return;
      }
      const first = tree.getLineAndCharacterOfPosition(node.getStart(tree)).line;
      const last = tree.getLineAndCharacterOfPosition(node.getEnd()).line;
      if (last - first + 1 > FUNCTION_LINES_MAX) {
        found.push(`${placeOf(tree, node)}: ${last - first + 1} lines`);
      }
    });
    return found;
  });
}

function groupsTests(node: ts.Node): boolean {
  if (!ts.isCallExpression(node.parent)) {
    return false;
  }
  return /^describe\b/.test(node.parent.expression.getText());
}

/** `kebab-case.ts`, `kebab-case.test.ts`. */
export function badNames(files: readonly SourceFile[]): string[] {
  const segment = /^\.?[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)*$/;
  return files
    .map(({ path }) => path)
    .filter((path) => !path.split('/').every((name) => segment.test(name)));
}

export function defaultExports(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => {
    const tree = parse(file);
    const found: string[] = [];
    walk(tree, (node) => {
      const renamed = ts.isExportSpecifier(node) && node.name.text === 'default';
      if (ts.isExportAssignment(node) || node.kind === ts.SyntaxKind.DefaultKeyword || renamed) {
        if (!ts.isDefaultClause(node.parent) && !ts.isCaseBlock(node.parent)) {
          found.push(placeOf(tree, node));
        }
      }
    });
    return [...new Set(found)];
  });
}

/** Files that do not begin with a comment; a line `#!` may come first. */
export function withoutEssay(files: readonly SourceFile[]): string[] {
  return files.filter(({ text }) => !/^(#!.*\n)?\s*(\/\*|\/\/)/.test(text)).map(({ path }) => path);
}
