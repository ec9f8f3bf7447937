/**
 * Time and chance come in by the door: the shared folders read no clock, set no timer and draw
 * nothing themselves. And what must be byte-identical on every engine keeps away from functions
 * that engines compute differently (`Math.pow` does, between two versions of Node).
 *
 * Looked for in the syntax tree, so that comments may name what they forbid. Reaching a global
 * by another name (`const { random } = Math`, `globalThis`) counts as using it. Node's own globals
 * (`process`, `Buffer`) need no list: tsconfig.portable.json compiles these folders without them.
 */
import ts from 'typescript';
import { parse, placeOf, type SourceFile, walk } from './source-files.ts';

const clockAndChance = new Set([
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
  'performance',
  'crypto',
  'globalThis',
]);

/** Exact on every machine, by IEEE 754 or by their definition on integers. */
const exactMath = new Set([
  'abs',
  'ceil',
  'clz32',
  'floor',
  'fround',
  'imul',
  'max',
  'min',
  'round',
  'sign',
  'sqrt',
  'trunc',
]);

export function clocksAndChance(files: readonly SourceFile[]): string[] {
  return search(files, (node) => {
    if (ts.isIdentifier(node) && clockAndChance.has(node.text) && isReference(node)) {
      return node.text;
    }
    if (!ts.isIdentifier(node) || !isReference(node)) {
      return null;
    }
    const member = memberOf(node);
    if (node.text === 'Math' && (member === 'random' || member === null)) {
      return `Math.${member ?? '?'}`;
    }
    // A date from a given number is arithmetic; anything else may be the time of day.
    if (node.text === 'Date' && !isDateOfNumber(node)) {
      return `Date.${member ?? '?'}`;
    }
    return null;
  });
}

export function inexactMath(files: readonly SourceFile[]): string[] {
  return search(files, (node) => {
    if (ts.isIdentifier(node) && node.text === 'Math' && isReference(node)) {
      const member = memberOf(node);
      return member !== null && (exactMath.has(member) || /^[A-Z0-9_]+$/.test(member))
        ? null
        : `Math.${member ?? '?'}`;
    }
    const power =
      node.kind === ts.SyntaxKind.AsteriskAsteriskToken ||
      node.kind === ts.SyntaxKind.AsteriskAsteriskEqualsToken;
    return power ? '**' : null;
  });
}

/** Only test/support/skips.ts may skip a test: it prints why, and fails where nobody allowed it. */
export function silentSkips(files: readonly SourceFile[]): string[] {
  const skips = new Set(['skip', 'skipIf', 'runIf', 'todo']);
  return search(files, (node) =>
    ts.isPropertyAccessExpression(node) && skips.has(node.name.text) ? node.name.text : null,
  );
}

function search(files: readonly SourceFile[], judge: (node: ts.Node) => string | null): string[] {
  return files.flatMap((file) => {
    const tree = parse(file);
    const found: string[] = [];
    walk(tree, (node) => {
      const offence = judge(node);
      if (offence !== null) {
        found.push(`${placeOf(tree, node)}: ${offence}`);
      }
    });
    return found;
  });
}

/** The identifier stands for a variable: it is no member, key, declared name or type. */
function isReference(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent) || ts.isQualifiedName(parent)) {
    return !('name' in parent && parent.name === node);
  }
  if (ts.isTypeReferenceNode(parent) || ts.isTypeQueryNode(parent)) {
    return false;
  }
  const declared =
    'name' in parent && parent.name === node && !ts.isShorthandPropertyAssignment(parent);
  return !declared;
}

function memberOf(node: ts.Identifier): string | null {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent) && parent.expression === node) {
    return parent.name.text;
  }
  if (ts.isElementAccessExpression(parent) && ts.isStringLiteral(parent.argumentExpression)) {
    return parent.argumentExpression.text;
  }
  return null;
}

function isDateOfNumber(node: ts.Identifier): boolean {
  const { parent } = node;
  return ts.isNewExpression(parent) && (parent.arguments?.length ?? 0) > 0;
}
