/**
 * Peers and load that are not ours, for benches of one hop: HAProxy and nginx with a
 * configuration given as text, and wrk. Everything on loopback, in a private folder, ended with
 * the bench.
 */
import { execFile, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { cpuBetween, endsWithUs, processTree } from './processes.mjs';

const NGINX_MODULES = '/usr/lib/nginx/modules';

/** A free port of 127.0.0.1. */
function freePort() {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** Starts a program with its configuration in a private folder; resolves when `port` accepts. */
async function start(command, args, file, text, port) {
  const folder = mkdtempSync(path.join(tmpdir(), 'waterhammer-peer-'));
  chmodSync(folder, 0o711);
  writeFileSync(path.join(folder, file), text(folder));
  const child = spawn(command, args(folder), { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = new Promise((resolve) => child.once('close', resolve));
  endsWithUs(child);
  await accepts(port, child);
  return {
    pid: child.pid,
    port,
    async stop() {
      child.kill('SIGTERM');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function accepts(port, child) {
  for (;;) {
    const open = await new Promise((resolve) => {
      const socket = net.connect(port, '127.0.0.1', () => resolve(true));
      socket.on('error', () => resolve(false));
      socket.on('connect', () => socket.destroy());
    });
    if (open) return;
    if (child.exitCode !== null) throw new Error(`${child.spawnfile} ended`);
    await pause(50);
  }
}

/** One thread; `lines` are its `listen` section, in front of `upstream`. */
export async function haproxy({ mode, lines }) {
  const port = await freePort();
  const text = [
    'global',
    '  nbthread 1',
    'defaults',
    `  mode ${mode}`,
    '  timeout connect 10s',
    ...['client', 'server', 'queue'].map((what) => `  timeout ${what} 1h`),
    'listen front',
    `  bind 127.0.0.1:${port} backlog 4096`,
    ...lines.map((line) => `  ${line}`),
    '',
  ].join('\n');
  return start(
    'haproxy',
    (folder) => ['-db', '-f', path.join(folder, 'haproxy.cfg')],
    'haproxy.cfg',
    () => text,
    port,
  );
}

/** One worker, no access log; `blocks` is what follows `events`. */
export async function nginx({ stream = false, blocks }) {
  const port = await freePort();
  const module = path.join(NGINX_MODULES, 'ngx_stream_module.so');
  const text = (folder) =>
    [
      ...(stream && existsSync(module) ? [`load_module ${module};`] : []),
      'worker_processes 1; daemon off; error_log stderr warn;',
      `pid ${folder}/pid;`,
      'events { worker_connections 16000; }',
      blocks(port, folder),
      '',
    ].join('\n');
  const args = (folder) => ['-p', folder, '-c', path.join(folder, 'nginx.conf'), '-e', 'stderr'];
  return start('nginx', args, 'nginx.conf', text, port);
}

export const hasStream = () => existsSync(path.join(NGINX_MODULES, 'ngx_stream_module.so'));

/** nginx as an HTTP proxy with keep-alive on both sides. */
export function nginxProxy(upstream) {
  return nginx({
    blocks: (port) => `http {
  access_log off; tcp_nodelay on; keepalive_requests 1000000000; keepalive_timeout 1h;
  upstream next {
    server 127.0.0.1:${upstream} max_fails=0;
    keepalive 128; keepalive_requests 1000000000; keepalive_time 20d;
  }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://next; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header Host $http_host;
    }
  }
}`,
  });
}

/**
 * wrk with so many connections on one thread. `under` = pid whose tree is charged. Returns requests
 * per second, p99 in ms, errors, and the CPU µs per request that the tree used meanwhile.
 */
export async function wrk({
  port,
  target = '/items/1',
  seconds,
  close = false,
  connections = 64,
  under,
}) {
  const before = processTree(under);
  const out = await new Promise((resolve, reject) => {
    const header = close ? ['-H', 'Connection: close'] : [];
    const url = `http://127.0.0.1:${port}${target}`;
    const args = [`-c${connections}`, '-t1', `-d${seconds}`, '--latency', ...header, url];
    execFile('wrk', args, (error, stdout) => (error === null ? resolve(stdout) : reject(error)));
  });
  const used = [...cpuBetween(before, processTree(under)).values()];
  const requests = Number(/(\d+) requests in/.exec(out)?.[1] ?? 0);
  const [, amount = 'NaN', unit = 'ms'] = /99%\s+([\d.]+)(us|ms|s)/.exec(out) ?? [];
  const errors = Number(/Non-2xx or 3xx responses: (\d+)/.exec(out)?.[1] ?? 0);
  const [, ...broken] =
    /errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(out) ?? [];
  return {
    perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(out)?.[1]),
    p99: Number(amount) * { us: 0.001, ms: 1, s: 1_000 }[unit],
    errors: errors + broken.reduce((sum, one) => sum + Number(one), 0),
    cpuMicros: (used.reduce((sum, one) => sum + one, 0) * 1e6) / requests,
  };
}
