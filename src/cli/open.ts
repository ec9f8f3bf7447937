/** `waterhammer open`: serves the page for one recording, or two side by side, until Ctrl-C. */
import { newestRecording } from '../serve/newest-recording.ts';
import { PageServer } from '../serve/page-server.ts';
import { RecordedRun } from '../serve/recorded-run.ts';
import { ExitCode } from './exit-code.ts';
import { writeJson } from './written-json.ts';

export interface OpenOptions {
  readonly port: number;
  readonly json?: boolean;
}

/** `null` = the newest recording in or below the current folder. */
export async function open(
  recording: string | null,
  other: string | null,
  options: OpenOptions,
): Promise<number> {
  const first = recording ?? (await newestRecording('.'));
  if (first === null) {
    process.stderr.write(
      'waterhammer: error: there is no recording in this folder; make one with\n' +
        '  waterhammer run examples/golden-connections.yaml --record recordings/golden\n',
    );
    return ExitCode.badInput;
  }
  const folders = other === null ? [first] : [first, other];
  const runs = await Promise.all(folders.map((folder) => RecordedRun.open(folder)));
  const page = await PageServer.open(runs, { port: options.port });
  if (options.json === true) writeJson({ recordings: folders, url: page.url });
  else process.stderr.write(`${folders.join(' and ')}: ${page.url}\n(Ctrl-C ends)\n`);
  await new Promise<void>((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
  await page.close();
  return ExitCode.done;
}
