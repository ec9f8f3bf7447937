/**
 * The files that the style tests look at: what git tracks or would track. Generated folders and
 * local logs are in .gitignore, so they never count.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

export interface SourceFile {
  /** Path relative to the repository, with forward slashes. */
  readonly path: string;
  readonly text: string;
  readonly lines: readonly string[];
}

/** Each file is read, and parsed, once for all checks. */
const files = new Map<string, SourceFile>();
const trees = new WeakMap<SourceFile, ts.SourceFile>();

/** All files of the repository whose path matches. */
export function filesMatching(pattern: RegExp): SourceFile[] {
  return listFiles()
    .filter((path) => pattern.test(path))
    .map((path) => {
      let file = files.get(path);
      if (file === undefined) {
        const text = readFileSync(join(root, path), 'utf8');
        file = { path, text, lines: text.replace(/\n$/, '').split('\n') };
        files.set(path, file);
      }
      return file;
    });
}

/** TypeScript and plain modules of the project. */
export function modules(): SourceFile[] {
  return filesMatching(/^(src|test|bench|scripts)\/.*\.(ts|mjs)$|^[^/]*\.(ts|cjs|mjs)$/);
}

/** The files of some folders of src/ that users get: no tests, no shared test cases. */
export function productFiles(...folders: readonly string[]): SourceFile[] {
  const places = folders.length === 0 ? '' : `(${folders.join('|')})/`;
  return filesMatching(new RegExp(`^src/${places}.*\\.ts$`)).filter(
    ({ path }) => !/\.(test|case)\.ts$/.test(path),
  );
}

export function parse(file: SourceFile): ts.SourceFile {
  let tree = trees.get(file);
  if (tree === undefined) {
    tree = ts.createSourceFile(file.path, file.text, ts.ScriptTarget.Latest, true);
    trees.set(file, tree);
  }
  return tree;
}

/** Calls `visit` for a node and all below it. */
export function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  node.forEachChild((child) => walk(child, visit));
}

/** `path:line` of a node, as editors and terminals understand it. */
export function placeOf(tree: ts.SourceFile, node: ts.Node): string {
  const { line } = tree.getLineAndCharacterOfPosition(node.getStart(tree));
  return `${tree.fileName}:${line + 1}`;
}

let listed: string[] | null = null;

function listFiles(): string[] {
  if (listed === null) {
    const options = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
    const output = execFileSync('git', options, { cwd: root, encoding: 'utf8' });
    listed = [...new Set(output.split('\0'))].filter(
      (path) => path !== '' && existsSync(join(root, path)),
    );
  }
  return listed;
}
