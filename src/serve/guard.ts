/**
 * Who may ask. The page is served on loopback, where any web page that the user visits could send
 * requests too, and where a name of somebody else's may point (DNS rebinding). So:
 *
 * - `Host` must be an address of this machine's loopback with our port;
 * - whatever names its origin must name ours, and browsers must say that the site is the same;
 * - data and control need the token that the printed address carries behind its `#`, which
 *   browsers neither send nor log; as a header of its own it also needs a preflight, which we
 *   never answer.
 *
 * Anything that the page loads comes from here: the policy forbids all other origins, inline
 * scripts and inline styles.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { MiddlewareHandler } from 'hono';

export const TOKEN_HEADER = 'x-waterhammer-token';

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob:",
  "connect-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': POLICY,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
};

export function makeToken(): string {
  return randomBytes(24).toString('base64url');
}

/** Headers of every answer; requests by another name than ours are refused. */
export function guardHost(port: () => number): MiddlewareHandler {
  return async (context, next) => {
    const host = context.req.header('host') ?? '';
    const names = ['127.0.0.1', 'localhost', '[::1]'].map((name) => `${name}:${port()}`);
    if (names.includes(host.toLowerCase())) await next();
    else context.res = context.text('unknown host', 421);
    for (const [name, value] of Object.entries(HEADERS)) context.res.headers.set(name, value);
  };
}

/** Data and control are for our own page only. */
export function guardData(token: string): MiddlewareHandler {
  return async (context, next) => {
    const origin = context.req.header('origin');
    const site = context.req.header('sec-fetch-site');
    const own = origin === undefined || origin === `http://${context.req.header('host')}`;
    const sameSite = site === undefined || site === 'same-origin';
    if (!own || !sameSite) return context.text('another site may not ask', 403);
    if (!equal(context.req.header(TOKEN_HEADER) ?? '', token)) {
      return context.text('open the address that waterhammer printed', 401);
    }
    await next();
    return undefined;
  };
}

function equal(given: string, token: string): boolean {
  const [x, y] = [Buffer.from(given), Buffer.from(token)];
  return x.length === y.length && timingSafeEqual(x, y);
}
