/** Reads a document (topology, targets), and no more of it than one may have. */
import { open } from 'node:fs/promises';
import { TEXT_LENGTH_MAX } from '../topology/index.ts';

/** One more than is allowed, so that the reader sees that it is too long; 3 bytes a character. */
const BYTES_MAX = 3 * (TEXT_LENGTH_MAX + 1);

/** Throws the system's error, with a sentence for the two that people make. */
export async function readDocument(file: string): Promise<string> {
  try {
    await using handle = await open(file);
    const buffer = Buffer.alloc(BYTES_MAX);
    let length = 0;
    while (length < BYTES_MAX) {
      const { bytesRead } = await handle.read(buffer, length, BYTES_MAX - length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return buffer.toString('utf8', 0, length);
  } catch (thrown) {
    throw sentence(thrown, file);
  }
}

function sentence(thrown: unknown, file: string): unknown {
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : null;
  const said = { ENOENT: 'there is no file', EISDIR: 'this is a folder, no file:' };
  if (code !== 'ENOENT' && code !== 'EISDIR') return thrown;
  return Object.assign(new Error(`${said[code]} ${file}`), { code });
}
