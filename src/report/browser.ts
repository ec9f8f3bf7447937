/**
 * Chromium, for what needs a browser: printing a report, encoding a film. It is the system's own
 * (Debian package `chromium`), found in PATH or named by WATERHAMMER_CHROMIUM; nothing is ever
 * downloaded. It runs without a window and reaches no network: pages come from this process.
 */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Browser, Page } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

export const CHROMIUM_FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // Containers often have a /dev/shm of 64 MB, which a page of films fills.
  '--disable-dev-shm-usage',
];

export class BrowserError extends Error {
  readonly code: 'browser-missing' | 'browser-failed';

  constructor(code: BrowserError['code'], message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'BrowserError';
    this.code = code;
  }
}

/** Path of the program. Throws a BrowserError (`browser-missing`). */
export function findChromium(environment: NodeJS.ProcessEnv = process.env): string {
  const named = environment.WATERHAMMER_CHROMIUM;
  if (named !== undefined && named !== '') {
    if (isProgram(named)) return named;
    throw new BrowserError('browser-missing', `WATERHAMMER_CHROMIUM names no program: ${named}`);
  }
  const folders = (environment.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  const paths = NAMES.flatMap((name) => folders.map((folder) => join(folder, name)));
  const found = paths.find(isProgram);
  if (found !== undefined) return found;
  throw new BrowserError(
    'browser-missing',
    'this needs Chromium, which is not in PATH (Debian package: chromium; or name the program ' +
      'in WATERHAMMER_CHROMIUM)',
  );
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Gives a page of a private browser to `use`, and ends the browser whatever happens. Every
 * request but those that `use` answers itself is refused.
 */
export async function withPage<T>(use: (page: Page) => Promise<T>): Promise<T> {
  const executablePath = findChromium();
  const { chromium } = await import('playwright-core');
  let browser: Browser;
  try {
    browser = await chromium.launch({ executablePath, args: CHROMIUM_FLAGS });
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message.split('\n')[0] : String(thrown);
    throw new BrowserError('browser-failed', `${executablePath}: ${reason}`, thrown);
  }
  try {
    const page = await browser.newPage();
    await page.route('**/*', (route) => route.abort());
    return await use(page);
  } finally {
    await browser.close();
  }
}
