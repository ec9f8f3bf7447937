/**
 * What the kernel says of the processes under test (`/proc`, proc(5)): CPU time, memory and
 * descriptors of a process and of all its descendants, and who listens where.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

const children = new Set();

/** Whatever ends the bench ends this child process too. */
export function endsWithUs(child) {
  if (children.size === 0 && process.listenerCount('SIGTERM') === 0) {
    process.on('exit', () => {
      for (const one of children) one.kill('SIGTERM');
    });
    for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => process.exit(1));
  }
  children.add(child);
  child.once('close', () => children.delete(child));
}

/** All living processes below (and with) `root`, by number: `{ pid, command, cpuSeconds }`. */
export function processTree(root) {
  const all = new Map();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const one = processAt(Number(name));
    if (one !== null) all.set(one.pid, one);
  }
  const found = new Map();
  const visit = (pid) => {
    const one = all.get(pid);
    if (one === undefined) return;
    found.set(pid, one);
    for (const other of all.values()) if (other.parent === pid) visit(other.pid);
  };
  visit(root);
  return found;
}

/** One process, all its threads together; null when it is gone. */
function processAt(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const command = readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0').join(' ').trim();
    const [user, system] = [Number(fields[11]), Number(fields[12])];
    const cpuSeconds = (user + system) / TICKS_PER_SECOND;
    return { pid, parent: Number(fields[1]), command, cpuSeconds };
  } catch {
    return null;
  }
}

/** Resident memory in bytes, without pages shared with other processes' files. */
export function residentBytes(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return Number(/^RssAnon:\s+(\d+)/m.exec(status)?.[1] ?? 0) * 1_024;
}

export function descriptors(pid) {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** Ports of IPv4 on which each of these processes listens: pid -> ports. */
export function listeningPorts(pids) {
  const portOf = new Map();
  for (const line of readFileSync('/proc/net/tcp', 'latin1').split('\n').slice(1)) {
    const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
    if (state === '0A') portOf.set(inode, Number.parseInt(local.slice(9), 16));
  }
  return new Map(pids.map((pid) => [pid, socketsOf(pid).flatMap((one) => portOf.get(one) ?? [])]));
}

function socketsOf(pid) {
  const inodes = [];
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    try {
      const target = readlinkSync(`/proc/${pid}/fd/${fd}`);
      const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
      if (inode !== undefined) inodes.push(inode);
    } catch {
      // Closed meanwhile.
    }
  }
  return inodes;
}

/** CPU seconds that each process used between two trees; one that came meanwhile counts whole. */
export function cpuBetween(before, after) {
  const used = new Map();
  for (const [pid, { cpuSeconds }] of after) {
    used.set(pid, cpuSeconds - (before.get(pid)?.cpuSeconds ?? 0));
  }
  return used;
}
