/** Temporary folders of tests. Names are short: a Unix socket's path may have 107 bytes. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TempFolder extends Disposable {
  readonly path: string;
}

/** A new empty folder; `using folder = tempFolder()` removes it at the end of the block. */
export function tempFolder(): TempFolder {
  const path = mkdtempSync(join(tmpdir(), 'wh-'));
  return {
    path,
    [Symbol.dispose]() {
      rmSync(path, { recursive: true, force: true });
    },
  };
}
