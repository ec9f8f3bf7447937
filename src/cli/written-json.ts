/** What a command has made, for programs: one JSON value on stdout, and files with their sizes. */

export interface WrittenFile {
  readonly path: string;
  readonly bytes: number;
}

export function writtenFile(path: string, content: string | Uint8Array): WrittenFile {
  return { path, bytes: Buffer.byteLength(content) };
}

/** The same for people. */
export function sizeText({ path, bytes }: WrittenFile): string {
  return `${path}: ${Math.ceil(bytes / 1_024)} KiB`;
}

export function writeJson(value: object): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}
