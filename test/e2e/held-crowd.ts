/**
 * Thousands of foreign connections at a connection queue, each with a request, opened at once
 * and kept for as long as one likes. They belong to the process of the test, so that the queue's
 * memory is that of the held connections alone.
 */
import { readdirSync, readFileSync } from 'node:fs';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { processesOf } from '../support/processes.ts';
import { type RunningCli, startCli } from '../support/run-cli.ts';

const REQUEST = 'GET /items/1 HTTP/1.1\r\nHost: crowd\r\n\r\n';
const OPEN_WITHIN_MS = 30_000;

export interface CrowdMemory {
  /** Resident bytes per connection of the process that holds them, the kernel's left out. */
  readonly bytesEach: number;
  readonly openedWithinMs: number;
}

export class HeldCrowd {
  readonly run: RunningCli;
  readonly sockets: net.Socket[] = [];
  memory: CrowdMemory = { bytesEach: 0, openedWithinMs: 0 };
  connected = 0;
  answers = 0;
  /** Of connections that the test did not close itself. */
  losses = 0;
  #leaving = false;

  /** @param args of a pipeline whose clients are foreign */
  constructor(args: readonly string[]) {
    this.run = startCli(args, { timeoutMs: 240_000 });
  }

  /** Resolves when all are connected and the queue has accepted them. */
  async open(count: number): Promise<void> {
    const address = await this.run.waitFor(/http:\/\/127\.0\.0\.1:(\d+)/);
    const before = processesIn(this.run.pid);
    const start = performance.now();
    for (let i = 0; i < count; i++) this.#connect(Number(address[1]));
    const isOpen = (): boolean => largest(processesIn(this.run.pid)).descriptors > count;
    await until(() => this.connected === count && isOpen(), `${count} connections`);
    const openedWithinMs = performance.now() - start;
    // The garbage of accepting them goes first.
    await sleep(5_000);
    const holder = largest(processesIn(this.run.pid));
    const resident = before.find(({ pid }) => pid === holder.pid)?.resident ?? 0;
    this.memory = { bytesEach: (holder.resident - resident) / count, openedWithinMs };
  }

  /** Closes some of them, in the order in which they came. */
  leave(count: number): void {
    this.#leaving = true;
    for (const socket of this.sockets.splice(0, count)) socket.destroy();
  }

  #connect(port: number): void {
    const socket = net.connect(port, '127.0.0.1', () => {
      this.connected += 1;
    });
    socket.setEncoding('latin1').on('data', (text: string) => {
      this.answers += text.split('HTTP/1.1 200').length - 1;
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      if (!this.#leaving) this.losses += 1;
    });
    socket.write(REQUEST);
    this.sockets.push(socket);
  }
}

/** Polls until it holds; fails after half a minute, naming what it waited for. */
export async function until(holds: () => boolean, what: string): Promise<void> {
  for (let waited = 0; !holds(); waited += 100) {
    if (waited > OPEN_WITHIN_MS) throw new Error(`waited in vain for: ${what}`);
    await sleep(100);
  }
}

interface Usage {
  readonly pid: number;
  readonly descriptors: number;
  readonly resident: number;
}

function processesIn(session: number): Usage[] {
  return processesOf(session, '').map(({ pid }) => {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    const kilobytes = Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0);
    const descriptors = readdirSync(`/proc/${pid}/fd`).length;
    return { pid, descriptors, resident: kilobytes * 1_024 };
  });
}

function largest(processes: readonly Usage[]): Usage {
  const [first] = [...processes].sort((x, y) => y.descriptors - x.descriptors);
  return first ?? { pid: 0, descriptors: 0, resident: 0 };
}
