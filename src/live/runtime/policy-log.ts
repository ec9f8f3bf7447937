/**
 * Writes a process's policy log: the numbers to `<path>.f64`, and at the end the header that
 * says which policies they are about to `<path>.json`. Read back with `readPolicyLog`.
 */
import { createWriteStream, type WriteStream } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { type LoggedPolicy, PolicyRecorder } from '../../policy/recorder.ts';
import { type PolicyTap, recordingTap } from '../../policy/tap.ts';
import { RecordingError, reasonOf } from '../../recording/error.ts';

export class PolicyLog {
  readonly tap: PolicyTap;
  readonly #path: string;
  readonly #file: WriteStream;
  readonly #recorder: PolicyRecorder;
  #failure: RecordingError | null = null;

  constructor(path: string) {
    this.#path = path;
    this.#file = createWriteStream(`${path}.f64`);
    this.#file.on('error', (thrown) => this.#fail(thrown));
    this.#recorder = new PolicyRecorder((chunk) =>
      this.#write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)),
    );
    this.tap = recordingTap(this.#recorder);
  }

  /** Why the log is not written any more, or null. */
  get failure(): RecordingError | null {
    return this.#failure;
  }

  /** Never rejects: see `failure`. */
  async close(): Promise<void> {
    this.#recorder.flush();
    if (!this.#file.destroyed) await new Promise<void>((resolve) => this.#file.end(resolve));
    const header = JSON.stringify(this.#recorder.policies);
    await writeFile(`${this.#path}.json`, header).catch((thrown: unknown) => this.#fail(thrown));
  }

  #write(bytes: Buffer): void {
    if (!this.#file.destroyed) this.#file.write(bytes);
  }

  #fail(thrown: unknown): void {
    this.#failure ??= new RecordingError(
      'recording-write-failed',
      `the policies' log cannot be written: ${reasonOf(thrown)}`,
      thrown,
    );
  }
}

/** The log and header that a process left at `path`. */
export async function readPolicyLog(
  path: string,
): Promise<{ log: Float64Array; policies: LoggedPolicy[] }> {
  const bytes = await readFile(`${path}.f64`);
  const policies: LoggedPolicy[] = JSON.parse(await readFile(`${path}.json`, 'utf8'));
  const log = new Float64Array(bytes.length / 8);
  new Uint8Array(log.buffer).set(bytes.subarray(0, log.length * 8));
  return { log, policies };
}
