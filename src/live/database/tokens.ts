/**
 * The words of an SQL text, as MySQL cuts it (reference manual, "Language Structure"): names,
 * numbers, strings in either quote, `@@variables`, placeholders, single signs; comments are
 * dropped. What a text contains that is none of these is a token of kind `other`, which no
 * statement accepts.
 */

export interface Token {
  readonly kind: 'word' | 'number' | 'string' | 'variable' | 'sign' | 'other';
  /** As meant: a string without quotes and escapes, a name without backticks. */
  readonly text: string;
  /** Where it begins in the SQL. */
  readonly at: number;
}

/** More tokens than any statement has that is answered here. */
const TOKENS_MAX = 256;

const SKIPPED = /(?:\s+|--(?=\s|$)[^\n]*|#[^\n]*|\/\*[\s\S]*?\*\/)/y;
const NUMBER = /\d+(?:\.\d+)?/y;
const WORD = /[A-Za-z_$\u0080-\uffff][\w$\u0080-\uffff]*/y;
const BACKTICKED = /`([^`]+)`/y;
const VARIABLE = /@@(?:(?:global|session|local)\.)?([\w$]+)/iy;
const SIGN = /[(),=?*;.+-]/y;
const ESCAPES: Readonly<Record<string, string>> = { 0: '\0', b: '\b', n: '\n', r: '\r', t: '\t' };

/** Null for a text with too many tokens. */
export function tokensOf(sql: string): readonly Token[] | null {
  const tokens: Token[] = [];
  let at = 0;
  for (;;) {
    at = after(SKIPPED, sql, at);
    if (at >= sql.length) return tokens;
    if (tokens.length === TOKENS_MAX) return null;
    const [token, next] = tokenAt(sql, at);
    tokens.push(token);
    at = next;
  }
}

function after(pattern: RegExp, sql: string, from: number): number {
  let at = from;
  for (;;) {
    pattern.lastIndex = at;
    if (!pattern.test(sql)) return at;
    at = pattern.lastIndex;
  }
}

function tokenAt(sql: string, at: number): [Token, number] {
  const quote = sql[at];
  if (quote === "'" || quote === '"') return stringAt(sql, at, quote);
  for (const [kind, pattern] of [
    ['number', NUMBER],
    ['word', WORD],
    ['word', BACKTICKED],
    ['variable', VARIABLE],
    ['sign', SIGN],
  ] as const) {
    pattern.lastIndex = at;
    const match = pattern.exec(sql);
    if (match !== null) return [{ kind, text: match[1] ?? match[0], at }, pattern.lastIndex];
  }
  return [{ kind: 'other', text: sql.slice(at, at + 1), at }, sql.length];
}

function stringAt(sql: string, at: number, quote: string): [Token, number] {
  let text = '';
  for (let i = at + 1; i < sql.length; i++) {
    const sign = sql[i] as string;
    if (sign === '\\' && i + 1 < sql.length) {
      i += 1;
      const escaped = sql[i] as string;
      text += ESCAPES[escaped] ?? escaped;
    } else if (sign !== quote) text += sign;
    else if (sql[i + 1] === quote) {
      i += 1;
      text += quote;
    } else return [{ kind: 'string', text, at }, i + 1];
  }
  return [{ kind: 'other', text: quote, at }, sql.length];
}
