/** The processes of a session, from Linux's /proc (proc(5), /proc/pid/stat). */
import { readdir, readFile } from 'node:fs/promises';

export interface SessionProcess {
  readonly pid: number;
  /** Its command's name, at most 15 characters. */
  readonly name: string;
}

export async function processesOf(session: number): Promise<SessionProcess[]> {
  const pids = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry));
  const found = await Promise.all(pids.map((pid) => processWithin(session, pid)));
  return found.filter((one) => one !== null);
}

async function processWithin(session: number, pid: string): Promise<SessionProcess | null> {
  // A process that ends meanwhile is none.
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
  // Behind the name: state, parent, group, session.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[3]) === session ? { pid: Number(pid), name } : null;
}
