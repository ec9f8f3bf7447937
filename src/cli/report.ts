/** `waterhammer report`: a recording as one HTML file, and as PDF. */
import { writeFile } from 'node:fs/promises';
import { reportHtml } from '../report/report.ts';
import { ExitCode } from './exit-code.ts';
import { sizeText, writeJson, writtenFile } from './written-json.ts';

export interface ReportCommandOptions {
  readonly output: string;
  readonly against?: string;
  readonly pdf?: boolean;
  readonly json?: boolean;
}

export async function report(recording: string, options: ReportCommandOptions): Promise<number> {
  const { output, json } = options;
  const against = options.against ?? null;
  const html = await reportHtml(recording, { against });
  await writeFile(output, html);
  const files = [writtenFile(output, html)];
  if (options.pdf === true) {
    const { printPdf } = await import('../report/pdf.ts');
    const pdf = output.replace(/(\.html?)?$/i, '.pdf');
    const printed = await printPdf(html);
    await writeFile(pdf, printed);
    files.push(writtenFile(pdf, printed));
  }
  if (json === true) writeJson({ recording, against, files });
  else for (const file of files) process.stderr.write(`${sizeText(file)}\n`);
  return ExitCode.done;
}
