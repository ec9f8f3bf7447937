/** The page's own files, read once: a few, and small. No request is ever used as a path. */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

export type WebFiles = ReadonlyMap<
  string,
  { readonly bytes: Uint8Array<ArrayBuffer>; readonly type: string }
>;

const BUILT = fileURLToPath(new URL('../web/', import.meta.url));

export async function webFiles(folder = BUILT): Promise<WebFiles> {
  const files = new Map<string, { bytes: Uint8Array<ArrayBuffer>; type: string }>();
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    const type = TYPES[path.extname(entry.name)];
    if (!entry.isFile() || type === undefined) continue;
    const whole = path.join(entry.parentPath, entry.name);
    const bytes = new Uint8Array(await readFile(whole));
    files.set(`/${path.relative(folder, whole).split(path.sep).join('/')}`, { bytes, type });
  }
  const index = files.get('/index.html');
  if (index !== undefined) files.set('/', index);
  return files;
}
