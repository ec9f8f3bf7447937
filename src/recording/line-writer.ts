/** Writes a file of lines through a bounded buffer; it gets its name when it is complete. */
import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { RecordingError, reasonOf } from './error.ts';

const BUFFER_CHARACTERS = 1 << 18;

export class LineWriter {
  readonly #path: string;
  readonly #partial: string;
  readonly #file: number;
  #lines: string[] = [];
  #characters = 0;
  #closed = false;
  #finished = false;

  /** Throws a RecordingError (`recording-write-failed`), as do `write` and `finish`. */
  constructor(path: string) {
    this.#path = path;
    this.#partial = `${path}.partial`;
    this.#file = this.#attempt(() => {
      rmSync(this.#partial, { force: true });
      return openSync(this.#partial, 'wx');
    });
  }

  write(line: string): void {
    this.#lines.push(line);
    this.#characters += line.length + 1;
    if (this.#characters >= BUFFER_CHARACTERS) this.#attempt(() => this.#flush());
  }

  finish(): void {
    this.#attempt(() => {
      this.#flush();
      this.#close();
      renameSync(this.#partial, this.#path);
      this.#finished = true;
    });
  }

  /** Gives up: closes the file and removes it, even if it is finished. */
  abandon(): void {
    this.#close();
    rmSync(this.#partial, { force: true });
    if (this.#finished) rmSync(this.#path, { force: true });
  }

  #close(): void {
    if (!this.#closed) closeSync(this.#file);
    this.#closed = true;
  }

  #flush(): void {
    if (this.#lines.length === 0) return;
    const bytes = Buffer.from(`${this.#lines.join('\n')}\n`);
    this.#lines = [];
    this.#characters = 0;
    for (let offset = 0; offset < bytes.length; ) {
      offset += writeSync(this.#file, bytes, offset, bytes.length - offset);
    }
  }

  #attempt<Result>(action: () => Result): Result {
    try {
      return action();
    } catch (thrown) {
      const text = `${this.#path} cannot be written: ${reasonOf(thrown)}`;
      throw new RecordingError('recording-write-failed', text, thrown);
    }
  }
}
