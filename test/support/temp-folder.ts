/** Temporary folders of tests. Names are short: a Unix socket's path may have 107 bytes. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TempFolder extends Disposable {
  readonly path: string;
}

/** A new empty folder; `using folder = tempFolder()` removes it at the end of the block. */
export function tempFolder(): TempFolder {
  const path = mkdtempSync(join(tmpdir(), 'wh-'));
  // As /tmp itself: servers that give up root must reach their own folders inside.
  chmodSync(path, 0o711);
  return {
    path,
    [Symbol.dispose]() {
      rmSync(path, { recursive: true, force: true });
    },
  };
}
