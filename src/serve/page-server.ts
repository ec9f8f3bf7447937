/** Serves the page on loopback, at any free port unless one is asked for. */
import { createServer, type Server } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { makeToken } from './guard.ts';
import { pageApp, Viewers } from './page-app.ts';
import type { PageRun } from './page-run.ts';
import { type WebFiles, webFiles } from './web-files.ts';

const HOST = '127.0.0.1';
/** Streams and what a browser opens beside them. */
const CONNECTIONS_MAX = 64;

export class PageServer {
  /** With the token: whoever has it may look. */
  readonly url: string;
  readonly viewers: Viewers;
  readonly #server: Server;

  private constructor(server: Server, url: string, viewers: Viewers) {
    this.#server = server;
    this.url = url;
    this.viewers = viewers;
  }

  /** @param port 0 = any that is free. Rejects with the system's error if it cannot listen. */
  static async open(
    runs: readonly PageRun[],
    { port = 0, files }: { readonly port?: number; readonly files?: WebFiles } = {},
  ): Promise<PageServer> {
    const token = makeToken();
    const viewers = new Viewers();
    let own = port;
    const app = pageApp({
      runs,
      files: files ?? (await webFiles()),
      token,
      port: () => own,
      viewers,
    });
    const server = createServer(getRequestListener(app.fetch, { overrideGlobalObjects: false }));
    server.maxConnections = CONNECTIONS_MAX;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, HOST, resolve);
    });
    const address = server.address();
    if (address !== null && typeof address === 'object') own = address.port;
    return new PageServer(server, `http://${HOST}:${own}/#${token}`, viewers);
  }

  /** Resolves when nobody has looked for `graceMs`: a page that is loaded anew comes back. */
  async unwatched(graceMs: number, signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      let timer: NodeJS.Timeout | undefined;
      const look = (): void => {
        clearTimeout(timer);
        timer = setTimeout(() => (this.viewers.count === 0 ? resolve() : undefined), graceMs);
      };
      this.viewers.onLeave(look);
      signal.addEventListener('abort', () => resolve(), { once: true });
      if (signal.aborted) resolve();
      look();
    });
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }
}
