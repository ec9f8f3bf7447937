/** `waterhammer diagram`: a client's requests, as assumed and as they were. */
import { writeFile } from 'node:fs/promises';
import { DIAGRAM_FORMATS, diagramText } from '../report/diagram/diagram-text.ts';
import { ExitCode } from './exit-code.ts';

export interface DiagramCommandOptions {
  readonly client: string;
  readonly requests: string;
  readonly format: string;
  readonly which: string;
  readonly output?: string;
}

export async function diagram(recording: string, options: DiagramCommandOptions): Promise<number> {
  const range = /^(\d{1,9})(?:\.\.(\d{1,9}))?$/.exec(options.requests);
  const { which } = options;
  const format = DIAGRAM_FORMATS.find((one) => one === options.format);
  if (range === null) return refuse('--requests wants a number or a range such as 1..3');
  if (format === undefined) return refuse(`--format is one of ${DIAGRAM_FORMATS.join(', ')}`);
  if (which !== 'assumed' && which !== 'actual' && which !== 'both') {
    return refuse('--which is assumed, actual or both');
  }
  const from = Number(range[1]);
  const requests: [number, number] = [from, Number(range[2] ?? from)];
  const text = await diagramText(recording, { client: options.client, requests, format, which });
  if (options.output === undefined) process.stdout.write(text);
  else await writeFile(options.output, text);
  return ExitCode.done;
}

function refuse(message: string): number {
  process.stderr.write(`waterhammer: error: ${message}\n`);
  return ExitCode.badInput;
}
