/**
 * The private temporary folder of a run: its events, unless they are recorded elsewhere, and its
 * control socket. It goes with the run, however that ends; only after a SIGKILL it stays, and
 * the next run to start removes it.
 *
 * How that one knows that nobody needs it: the owner listens at `owner.sock` in it. A socket that
 * refuses has no living owner, whatever has become of process numbers, and in whatever namespace
 * they were given. A folder without such a socket is left alone: it may be a moment old.
 *
 * Left out: where the path is too long for a Unix socket (107 bytes, unix(7)), what a killed run
 * leaves has to be removed by hand.
 */
import { lstatSync, rmSync } from 'node:fs';
import { mkdtemp, readdir } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

const PREFIX = 'waterhammer-';
/** As mkdtemp ends its names. */
const OURS = /^waterhammer-[A-Za-z0-9]{6}$/;
const OWNER = 'owner.sock';

export class ScratchFolder {
  readonly path: string;
  readonly #owner: net.Server;

  private constructor(folder: string, owner: net.Server) {
    this.path = folder;
    this.#owner = owner;
  }

  /** Also removes what runs have left that were killed. */
  static async open(): Promise<ScratchFolder> {
    await sweep(tmpdir());
    const folder = await mkdtemp(path.join(tmpdir(), PREFIX));
    const owner = net.createServer((socket) => socket.destroy()).unref();
    await new Promise<void>((resolve) => {
      owner.once('error', () => resolve());
      owner.listen(path.join(folder, OWNER), () => resolve());
    });
    return new ScratchFolder(folder, owner);
  }

  /** At once, so that it can also be the last act of a process. Twice does no harm. */
  remove(): void {
    this.#owner.close();
    rmSync(this.path, { recursive: true, force: true });
  }
}

async function sweep(place: string): Promise<void> {
  const names = await readdir(place).catch(() => []);
  const folders = names.filter((name) => OURS.test(name)).map((name) => path.join(place, name));
  for (const folder of folders) {
    if (!isOwn(folder) || !(await isDead(path.join(folder, OWNER)))) continue;
    try {
      rmSync(folder, { recursive: true, force: true });
    } catch {
      // Another start may be at it too, and what cannot be removed does not concern this run.
    }
  }
}

/** A folder, no link to one, and not somebody else's who may let it change under our hands. */
function isOwn(folder: string): boolean {
  const stat = lstatSync(folder, { throwIfNoEntry: false });
  return stat?.isDirectory() === true && stat.uid === process.getuid?.();
}

function isDead(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(socketPath);
    socket.on('connect', () => {
      socket.destroy();
      resolve(false);
    });
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
  });
}
