/** `waterhammer report`: a recording as one HTML file, and as PDF. */
import { writeFile } from 'node:fs/promises';
import { reportHtml } from '../report/report.ts';
import { ExitCode } from './exit-code.ts';

export interface ReportCommandOptions {
  readonly output: string;
  readonly against?: string;
  readonly pdf?: boolean;
}

export async function report(recording: string, options: ReportCommandOptions): Promise<number> {
  const html = await reportHtml(recording, { against: options.against ?? null });
  await writeFile(options.output, html);
  process.stderr.write(`${options.output}: ${Math.round(html.length / 1_024)} KiB\n`);
  if (options.pdf === true) {
    const { printPdf } = await import('../report/pdf.ts');
    const pdf = options.output.replace(/(\.html?)?$/i, '.pdf');
    await writeFile(pdf, await printPdf(html));
    process.stderr.write(`${pdf}\n`);
  }
  return ExitCode.done;
}
