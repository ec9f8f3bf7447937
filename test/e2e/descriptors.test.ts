/**
 * A process that reaches its budget of descriptors: it stops accepting below the limit, says so,
 * goes on when connections close, and loses nothing of what the kernel has accepted for it.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { processesOf } from '../support/processes.ts';
import { startCli } from '../support/run-cli.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { balanced, outcomeOf } from './outcome.ts';
import { linkOf, only, type TopologyDocument, users, writeTopology } from './pipelines.ts';

const QUEUE = { name: 'queue', kind: 'connection-queue', activeMax: 15, whileHeld: 'watch' };
const APP = { name: 'app', kind: 'app', serviceTime: '5ms', keepAliveTimeout: 0 };

const CROWD: TopologyDocument = {
  name: 'crowd',
  duration: '3s',
  hops: [users(150, '100ms', { timeout: '1s' }), QUEUE, APP],
};

describe('a budget of descriptors', () => {
  it('connects beyond it fail and are counted, accepting stops and resumes', async () => {
    using folder = tempFolder();
    const file = writeTopology(folder.path, CROWD);
    const { summary, stderr } = await outcomeOf([file], {
      env: { WATERHAMMER_DESCRIPTORS_MAX: '100' },
    });
    // Half of 100 are held or active, 15 of them with a connection behind, and one behind that.
    expect(stderr).toMatch(/process "back": clients->queue: accepting stops, \d\d of 100/);
    expect(stderr).toMatch(/process "back": clients->queue: accepting again, \d\d of 100/);
    const { requests } = only(summary.clients);
    const link = linkOf(summary, 'clients->queue');
    expect(link.opened).toBeGreaterThan(100);
    // 150 clients want connections, 100 can have one: the others' requests failed.
    expect(requests.failed).toBeGreaterThan(requests.timeouts);
    expect(requests.resets).toBe(0);
    expect(requests.answered).toBeGreaterThan(50);
    expect(Object.keys(link.closedBy)).toEqual(['request_timeout']);
  });

  // Side by side: what is measured is the processor time of each.
  it.concurrent.each(['handles', 'net'])(
    'at rest while it does not accept, then serves whoever has waited (%s)',
    async (sockets) => {
      const env = { WATERHAMMER_DESCRIPTORS_MAX: '64', WATERHAMMER_SOCKETS: sockets };
      using folder = tempFolder();
      const file = writeTopology(folder.path, CROWD);
      const args = ['run', file, '--no-load', '--duration', '60s', '--json', '--verbose'];
      await using run = startCli(args, { env });
      const address = await run.waitFor(/http:\/\/127\.0\.0\.1:(\d+)/);
      const clients = await Promise.all(
        Array.from({ length: 120 }, () => connect(Number(address[1]))),
      );
      await run.waitFor(/accepting stops/);
      const before = processorTicks(run.pid);
      await sleep(1_500);
      // 1,500 ms are 150 ticks of the processor for each of three processes.
      expect(processorTicks(run.pid) - before).toBeLessThan(75);

      const statuses = await Promise.all(clients.map(ask));
      expect(statuses).toEqual(clients.map(() => '200'));
      run.signal('SIGINT');
      const ended = await run.ended;
      expect(ended.code).toBe(130);
      const { summary, stderr } = balanced(ended);
      expect(stderr).toContain('accepting again');
      expect(linkOf(summary, 'clients->queue').opened).toBe(120);
      expect(linkOf(summary, 'queue->app').exchanges).toBe(120);
    },
  );
});

async function connect(port: number): Promise<net.Socket> {
  const socket = net.connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

/** One request on a connection of its own; resolves with its status when the server has closed. */
async function ask(socket: net.Socket): Promise<string | undefined> {
  let text = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    text += chunk;
  });
  socket.write('GET /items/1 HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n');
  await once(socket, 'end');
  socket.destroy();
  return /^HTTP\/1\.1 (\d+)/.exec(text)?.[1];
}

/** Processor time that all processes of a run have used (user and system, 1/100 s; proc(5)). */
function processorTicks(session: number): number {
  let sum = 0;
  for (const { pid } of processesOf(session, '')) {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    sum += Number(fields[11]) + Number(fields[12]);
  }
  return sum;
}
