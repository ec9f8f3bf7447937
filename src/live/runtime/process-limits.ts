/**
 * What one process may use, from the system or, for tests and small machines, from the
 * environment:
 *
 *   WATERHAMMER_DESCRIPTORS_MAX   descriptors for connections; default: RLIMIT_NOFILE (proc(5),
 *                                 /proc/<pid>/limits) without a reserve for everything else
 *   WATERHAMMER_SPOOL_BLOCKS_MAX  blocks of events that may wait for the disk
 *
 * Where there is no /proc (macOS), no limit is known, and none is kept.
 */
import { readFileSync } from 'node:fs';
import { SPOOL_BLOCKS_MAX } from '../../recording/spool.ts';

/** Files, pipes, libuv's own, modules that are loaded, sockets of foreign clients in handshakes. */
const RESERVE = 128;

/** @param listeners sockets on which the process will listen */
export function descriptorsForConnections(listeners: number): number {
  const system = openFilesMax(readLimits()) - RESERVE - listeners;
  return Math.min(system, fromEnvironment('WATERHAMMER_DESCRIPTORS_MAX') ?? system);
}

export function spoolBlocksMax(): number {
  return fromEnvironment('WATERHAMMER_SPOOL_BLOCKS_MAX') ?? SPOOL_BLOCKS_MAX;
}

/** The soft limit of open files in the text of /proc/<pid>/limits; Infinity where none is told. */
export function openFilesMax(limits: string): number {
  const soft = /^Max open files\s+(\d+)\s/m.exec(limits)?.[1];
  return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft);
}

function readLimits(): string {
  try {
    return readFileSync('/proc/self/limits', 'latin1');
  } catch {
    return '';
  }
}

function fromEnvironment(name: string): number | null {
  const value = Number(process.env[name] ?? '');
  return Number.isInteger(value) && value > 0 ? value : null;
}
