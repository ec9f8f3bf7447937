/**
 * A `waterhammer run` in the background with its default recording, watched from outside: CPU by
 * process over a window of the load, named by the hops that the process runs, and the latencies
 * of that window from the events of the load generator itself.
 */
import { spawn } from 'node:child_process';
import {
  createReadStream,
  linkSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { EventKind } from '../dist/model/event.js';
import { readSpool } from '../dist/recording/spool-reader.js';
import { MAIN } from './bench.mjs';
import { cpuBetween, endsWithUs, listeningPorts, processTree } from './processes.mjs';

export class LiveRun {
  #child;
  #output = '';
  #errors = '';
  #ended;
  folder = mkdtempSync(path.join(tmpdir(), 'waterhammer-bench-'));
  recording = path.join(this.folder, 'recording');

  /** `document`: a topology. */
  constructor(document, args = []) {
    const file = path.join(this.folder, 'topology.json');
    writeFileSync(file, JSON.stringify(document));
    const all = [MAIN, 'run', file, ...args, '--record', this.recording, '--json'];
    this.#child = spawn(process.execPath, all, { stdio: ['ignore', 'pipe', 'pipe'] });
    endsWithUs(this.#child);
    this.#child.stdout.on('data', (chunk) => {
      this.#output += chunk;
    });
    this.#child.stderr.on('data', (chunk) => {
      this.#errors = (this.#errors + chunk).slice(-4_000);
    });
    this.#ended = new Promise((resolve) => this.#child.once('close', resolve));
  }

  get pid() {
    return this.#child.pid;
  }

  get isOver() {
    return this.#child.exitCode !== null;
  }

  /** `run.json` as it is now; null before there is one. */
  document() {
    try {
      return JSON.parse(readFileSync(path.join(this.recording, 'run.json'), 'utf8'));
    } catch {
      return null;
    }
  }

  /** Resolves when everything listens, or with `load` when the load has begun. */
  async begun({ load }) {
    for (;;) {
      const document = this.document();
      const { loadStart = 0, endpoints = [] } = document ?? {};
      if (load ? loadStart > 0 : endpoints.length > 0) return document;
      if (this.isOver) throw new Error(`the run ended before it began: ${this.#errors}`);
      await pause(50);
    }
  }

  /** CPU by process from now on for so long, each named by its hops. */
  async measureCpu(seconds) {
    const from = { at: Date.now(), tree: processTree(this.pid) };
    await pause(seconds * 1_000);
    const to = { at: Date.now(), tree: processTree(this.pid) };
    const names = this.#names(to.tree);
    const cpu = new Map();
    for (const [pid, used] of cpuBetween(from.tree, to.tree)) {
      const name = names.get(pid) ?? 'supervisor';
      cpu.set(name, (cpu.get(name) ?? 0) + used);
    }
    return { from: from.at, to: to.at, cpu };
  }

  /** Pids of the processes under test, by the hops that they run. */
  processes() {
    const tree = processTree(this.pid);
    return new Map([...this.#names(tree)].map(([pid, name]) => [`${name} (${pid})`, pid]));
  }

  /** Workers in the order in which they were forked; foreign servers by where they listen. */
  #names(tree) {
    const { plan, endpoints, topology } = this.document();
    const workers = [...tree.values()].filter(({ command }) => command.includes('worker-main'));
    workers.sort((x, y) => x.pid - y.pid);
    const names = new Map(
      workers.map(({ pid }, number) => {
        const own = plan.instances.filter((one) => one.process === number).map(({ hop }) => hop);
        return [pid, [...new Set(own)].join(', ')];
      }),
    );
    const foreign = [...tree.values()].filter(({ pid, command }) => {
      return !names.has(pid) && pid !== this.pid && !command.startsWith('/bin/sh');
    });
    const hopOf = new Map(
      endpoints.map(({ port, instance }) => [port, plan.instances[instance]?.hop]),
    );
    for (const [pid, ports] of listeningPorts(foreign.map(({ pid }) => pid))) {
      const hop = ports.map((port) => hopOf.get(port)).find((one) => one !== undefined);
      const found = topology.hops.find(({ name }) => name === hop);
      if (found !== undefined) names.set(pid, `${hop} (${found.implementation})`);
    }
    return names;
  }

  /** Keeps the load generator's events beyond the end of the run; call it while it runs. */
  keepLoadEvents() {
    linkSync(path.join(this.recording, 'spool-0.seg'), path.join(this.folder, 'load.seg'));
  }

  /** Requests whose intended start lies so many seconds after the start of the load. */
  requests(fromSeconds, toSeconds) {
    const { loadStart } = this.document();
    const from = loadStart + fromSeconds * 1e6;
    const to = loadStart + toSeconds * 1e6;
    const waiting = new Map();
    const answered = { sent: 0, ok: 0, latenciesMs: [] };
    for (const { count, kind, at, instance, a, b, c } of readSpool(
      path.join(this.folder, 'load.seg'),
    )) {
      for (let row = 0; row < count; row++) {
        const key = `${instance[row]} ${a[row]} ${b[row]}`;
        if (kind[row] === EventKind.requestSent && c[row] >= from && c[row] < to) {
          waiting.set(key, c[row]);
          answered.sent += 1;
        }
        if (kind[row] !== EventKind.requestDone) continue;
        const intended = waiting.get(key);
        if (intended === undefined) continue;
        waiting.delete(key);
        if (c[row] === 200) answered.ok += 1;
        answered.latenciesMs.push((at[row] - intended) / 1_000);
      }
    }
    answered.latenciesMs.sort((x, y) => x - y);
    return answered;
  }

  /** Requests that the real nginx on the hosts has answered between two instants (ms). */
  async logged(hop, from, to) {
    const file = createReadStream(path.join(this.recording, `${hop}-access.log`));
    let requests = 0;
    for await (const line of createInterface({ input: file })) {
      const at = Number(line.slice(0, line.indexOf(' '))) * 1_000;
      if (at >= from && at < to) requests += 1;
    }
    return requests;
  }

  /** Its end: the summary. A run whose books do not balance has one as well. */
  async summary() {
    await this.#ended;
    if (this.#output === '') throw new Error(`the run failed: ${this.#errors}`);
    return JSON.parse(this.#output);
  }

  interrupt() {
    if (!this.isOver) this.#child.kill('SIGINT');
  }

  forget() {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export function quantile(sorted, share) {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}
