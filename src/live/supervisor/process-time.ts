/**
 * CPU time of programs that are not ours, and of the whole machine, from the kernel (proc(5)).
 *
 * A foreign program runs under its keeper, which leads a session of its own, so its processes
 * are those of that session: nginx's master and workers, whatever MariaDB starts. Children that
 * have ended and were waited for count at their parents. The kernel gives ticks of 10 ms
 * (USER_HZ is 100 on every architecture that Node.js runs on).
 */
import { readdir, readFile } from 'node:fs/promises';
import type { Micros } from '../../model/units.ts';

const TICK: Micros = 10_000;

/** User and system time of a session so far; null where there is none of its processes. */
export async function sessionTime(session: number): Promise<Micros | null> {
  const entries = await readdir('/proc').catch(() => []);
  const times = await Promise.all(
    entries.filter((name) => /^\d+$/.test(name)).map((name) => timeWithin(session, name)),
  );
  const own = times.filter((time) => time !== null);
  return own.length === 0 ? null : own.reduce((sum, time) => sum + time, 0);
}

/** Null for processes of other sessions, and for one that has just ended. */
async function timeWithin(session: number, pid: string): Promise<Micros | null> {
  const text = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => null);
  if (text === null) return null;
  // The second field, a name in parentheses, may hold spaces and parentheses of its own.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  if (Number(fields[3]) !== session) return null;
  const [user, system, childrenUser, childrenSystem] = fields.slice(11, 15).map(Number);
  return ((user ?? 0) + (system ?? 0) + (childrenUser ?? 0) + (childrenSystem ?? 0)) * TICK;
}

/** Time of all cores together since the machine was started. */
export interface MachineTime {
  readonly cores: number;
  readonly total: Micros;
  /** Neither idle nor waiting for a disk, nor stolen. */
  readonly busy: Micros;
  /** Wanted, but given to other machines by the hypervisor. */
  readonly stolen: Micros;
}

/** Null where the kernel offers no such table. */
export async function machineTime(): Promise<MachineTime | null> {
  const text = await readFile('/proc/stat', 'latin1').catch(() => null);
  const all = text === null ? null : /^cpu +(.*)$/m.exec(text)?.[1];
  if (text === null || all === null || all === undefined) return null;
  // user nice system idle iowait irq softirq steal; guests are among user and nice.
  const ticks = all.split(' ').slice(0, 8).map(Number);
  const total = ticks.reduce((sum, one) => sum + one, 0);
  const [, , , idle = 0, waiting = 0, , , stolen = 0] = ticks;
  return {
    cores: text.match(/^cpu\d+ /gm)?.length ?? 1,
    total: total * TICK,
    busy: (total - idle - waiting - stolen) * TICK,
    stolen: stolen * TICK,
  };
}
