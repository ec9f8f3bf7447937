/** `waterhammer diagram`: a client's requests, as assumed and as they were. */
import { writeFile } from 'node:fs/promises';
import { isClient } from '../report/diagram/client-rows.ts';
import { DIAGRAM_FORMATS, diagramText } from '../report/diagram/diagram-text.ts';
import { ExitCode } from './exit-code.ts';
import { writeJson, writtenFile } from './written-json.ts';

export interface DiagramCommandOptions {
  readonly client: string;
  readonly requests: string;
  readonly format: string;
  readonly which: string;
  readonly output?: string;
  readonly json?: boolean;
}

const WHICH = ['assumed', 'actual', 'both'] as const;

export async function diagram(recording: string, options: DiagramCommandOptions): Promise<number> {
  const { client } = options;
  const [, first, last] = /^(\d{1,9})(?:\.\.(\d{1,9}))?$/.exec(options.requests) ?? [];
  const requests: [number, number] = [Number(first), Number(last ?? first)];
  const format = DIAGRAM_FORMATS.find((one) => one === options.format);
  const which = WHICH.find((one) => one === options.which);
  const wrong = [
    isClient(client) ? '' : '--client wants a number (7), or group and number (mobile/7)',
    requests[0] >= 1 && requests[1] >= requests[0]
      ? ''
      : '--requests wants a number from 1, or a range such as 1..3',
    format === undefined ? `--format is one of ${DIAGRAM_FORMATS.join(', ')}` : '',
    which === undefined ? `--which is one of ${WHICH.join(', ')}` : '',
  ].filter((one) => one !== '');
  if (wrong.length > 0 || format === undefined || which === undefined) {
    for (const one of wrong) process.stderr.write(`waterhammer: error: ${one}\n`);
    return ExitCode.badInput;
  }
  const text = await diagramText(recording, { client, requests, format, which });
  const { output, json } = options;
  if (output !== undefined) await writeFile(output, text);
  if (json === true) {
    const made = output === undefined ? { text } : { files: [writtenFile(output, text)] };
    writeJson({ recording, client, requests, format, which, ...made });
  } else if (output === undefined) process.stdout.write(text);
  return ExitCode.done;
}
