/** A report on paper: A4, as the page's own rules for print lay it out. */
import { withPage } from './browser.ts';

/** Throws a BrowserError. */
export function printPdf(html: string): Promise<Buffer> {
  return withPage(async (page) => {
    await page.setContent(html, { waitUntil: 'load' });
    return page.pdf({ format: 'A4', printBackground: true, preferCSSPageSize: true });
  });
}
