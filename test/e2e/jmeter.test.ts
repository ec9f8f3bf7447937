/**
 * The incident's own experiment: JMeter, one thread, keep-alive, three requests. What leaves it
 * as one connection is several behind the gateway, and the two diagrams show it.
 */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { ConnectionRow } from '../../src/measure/rows.ts';
import type { Summary } from '../../src/model/summary.ts';
import { readConnections } from '../../src/recording/recording.ts';
import { readRun } from '../../src/recording/run-document.ts';
import { projectRoot, runCli, startCli } from '../support/run-cli.ts';
import { requireProgram } from '../support/skips.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { expectClean, linkOf, type TopologyDocument, writeTopology } from './pipelines.ts';

const JMETER_HOME = '/usr/share/jmeter';
const JARS = ['bin/ApacheJMeter.jar', 'lib/ext/*', 'lib/*'];
const fixtures = path.join(projectRoot, 'test', 'fixtures');
const run = promisify(execFile);

const CHAIN: TopologyDocument = {
  name: 'jmeter',
  duration: '60s',
  hops: [
    { name: 'clients', kind: 'clients', habit: 'jmeter' },
    { name: 'apigw', kind: 'gateway', nodes: 8, spread: 'request' },
    { name: 'nlb', kind: 'l4-balancer' },
    { name: 'queue', kind: 'connection-queue' },
    { name: 'nginx', kind: 'web-server' },
    { name: 'app', kind: 'app' },
  ],
  hosts: [{ name: 'ec2', count: 1, hops: ['queue', 'nginx', 'app'] }],
};

describe('JMeter through the pipeline', () => {
  it('sees one connection become several behind the gateway', async (context) => {
    requireProgram('jmeter', context);
    requireProgram('plantuml', context);
    using folder = tempFolder();
    const recording = path.join(folder.path, 'rec');
    const file = writeTopology(folder.path, CHAIN);
    await using pipeline = startCli(['run', file, '--no-load', '--record', recording, '--json']);
    const address = await pipeline.waitFor(/http:\/\/127\.0\.0\.1:(\d+)/);
    await jmeter(folder.path, String(address[1]));
    pipeline.signal('SIGINT');
    const ended = await pipeline.ended;
    expect(ended.code).toBe(130);
    expectClean(ended);
    const summary: Summary = JSON.parse(ended.stdout);
    expect(summary.balanced).toBe(true);
    expect(linkOf(summary, 'clients->apigw')).toMatchObject({ opened: 1, exchanges: 3 });
    expect(linkOf(summary, 'apigw->nlb').exchanges).toBe(3);
    expect(linkOf(summary, 'apigw->nlb').opened).toBeGreaterThan(1);
    expect(linkOf(summary, 'apigw->nlb').multiplication).toBe(linkOf(summary, 'apigw->nlb').opened);

    const client = String((await connectionOfJmeter(recording)).connection);
    expect(await distinctConnections(recording, client, 'clients->apigw')).toBe(1);
    expect(await distinctConnections(recording, client, 'queue->nginx')).toBeGreaterThan(1);
    await drawn(folder.path, recording, client);
  });
});

/** Debian's own start script cannot be used: test/fixtures/jmeter.bsh says why. */
async function jmeter(folder: string, port: string): Promise<void> {
  const log = path.join(folder, 'samples.csv');
  const jars = JARS.map((jar) => path.join(JMETER_HOME, jar)).join(':');
  const plan = path.join(fixtures, 'three-requests.jmx');
  const java = ['-Djava.awt.headless=true', `-Djmeter.home=${JMETER_HOME}`, '-cp', jars];
  const script = ['bsh.Interpreter', path.join(fixtures, 'jmeter.bsh')];
  const args = ['-n', '-t', plan, '-l', log, '-j', path.join(folder, 'jmeter.log')];
  const target = ['-Jhost=127.0.0.1', `-Jport=${port}`];
  const options = { timeout: 60_000, cwd: folder };
  const { stdout } = await run('java', [...java, ...script, ...args, ...target], options);
  expect(stdout).toMatch(/summary =\s+3 in .* Err:\s+0 /);
}

async function connectionOfJmeter(recording: string): Promise<ConnectionRow> {
  const { plan } = await readRun(recording);
  const link = plan.links.find((one) => one.name === 'clients->apigw');
  for await (const rows of readConnections(recording)) {
    const found = rows.find((row) => row.link === link?.index);
    if (found !== undefined) return found;
  }
  throw new Error('JMeter never connected');
}

/** How many connections of a link carried the three requests, as `waterhammer ledger` says. */
async function distinctConnections(
  recording: string,
  client: string,
  link: string,
): Promise<number> {
  const used = new Set<number>();
  for (const request of ['1', '2', '3']) {
    const args = ['ledger', recording, '--client', client, '--request', request, '--json'];
    const result = await runCli(args);
    expect(result.code).toBe(0);
    const steps: { link: string; connection: number; status: number }[] = JSON.parse(result.stdout);
    const step = steps.find((one) => one.link === link);
    expect(step?.status).toBe(200);
    used.add(step?.connection ?? 0);
  }
  return used.size;
}

/** Both diagrams have the incident's participants, differ as they should; plantuml takes them. */
async function drawn(folder: string, recording: string, client: string): Promise<void> {
  const file = path.join(folder, 'diagrams.puml');
  const args = ['--client', client, '--requests', '1..3', '--format', 'plantuml'];
  const result = await runCli(['diagram', recording, ...args]);
  expect(result.stderr).toBe('');
  expect(result.code).toBe(0);
  const diagrams = result.stdout.split('@enduml').slice(0, -1);
  expect(diagrams).toHaveLength(2);
  for (const diagram of diagrams) {
    const participants = [...diagram.matchAll(/^participant "([^"]+)"/gm)].map((one) => one[1]);
    expect(participants).toEqual(['clients', 'APIGW', 'NLB', 'EC2', 'ConnCtrl', 'NGINX']);
  }
  const [assumed = '', actual = ''] = diagrams;
  expect(assumed).toContain('title assumed');
  expect(assumed).not.toMatch(/-> p\d : 2/);
  expect(actual).toContain('title actual');
  expect(actual).toMatch(/-> p\d : 2/);
  await runCli(['diagram', recording, ...args, '--output', file]);
  // Its exit code says whether every diagram of the file is well formed.
  const { stdout } = await run('plantuml', ['-checkonly', file], { timeout: 60_000 });
  expect(stdout).not.toMatch(/error/i);
}
