/**
 * The control channel of a running run: a Unix socket that only this user may open, so that no
 * web page can reach it. One JSON object a line in (an action), one a line out (the result).
 *
 * The socket lies in the run's private temporary folder (scratch-folder.ts), because a Unix
 * socket's path may have at most 107 bytes (unix(7)) and recordings may lie deep; the recording
 * names it in `control.json`. Both are removed when the run ends.
 */
import { rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';

export const CONTROL_FILE = 'control.json';
const LINE_MAX = 64 * 1_024;

export interface ControlReply {
  readonly ok: boolean;
  readonly text: string;
}

export type ControlHandler = (request: unknown) => Promise<ControlReply>;

export class ControlServer {
  readonly #server: net.Server;
  readonly #announcement: string;

  private constructor(server: net.Server, announcement: string) {
    this.#server = server;
    this.#announcement = announcement;
  }

  /** @param scratch a folder that only this user may enter */
  static async open(
    recording: string,
    scratch: string,
    handle: ControlHandler,
  ): Promise<ControlServer> {
    const socketPath = path.join(scratch, 'control.sock');
    const server = net.createServer((socket) => serve(socket, handle));
    server.maxConnections = 16;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(socketPath, resolve);
    });
    const announcement = path.join(recording, CONTROL_FILE);
    const control = new ControlServer(server, announcement);
    try {
      await writeFile(announcement, JSON.stringify({ socket: socketPath, pid: process.pid }));
    } catch (thrown) {
      // A full disk: the socket may not stay.
      await control.close();
      throw thrown;
    }
    return control;
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      // Idle control connections must not keep the run alive.
      this.#server.unref();
      resolve();
    });
    await rm(this.#announcement, { force: true });
  }
}

function serve(socket: net.Socket, handle: ControlHandler): void {
  socket.setEncoding('utf8');
  socket.setTimeout(60_000, () => socket.destroy());
  socket.on('error', () => socket.destroy());
  const lines = createInterface({ input: socket });
  lines.on('line', (line) => {
    void answer(line, handle).then((reply) => {
      if (!socket.destroyed) socket.write(`${JSON.stringify(reply)}\n`);
    });
  });
}

async function answer(line: string, handle: ControlHandler): Promise<ControlReply> {
  if (line.length > LINE_MAX) return { ok: false, text: 'the request is too long' };
  try {
    return await handle(JSON.parse(line));
  } catch (error) {
    return { ok: false, text: error instanceof Error ? error.message : String(error) };
  }
}
