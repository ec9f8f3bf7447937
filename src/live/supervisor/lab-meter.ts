/**
 * Accounts for what the lab itself used during the load: its processes, the foreign programs,
 * the machine. Each figure is read when the load begins and when it has ended; what a process
 * used before (start-up) and after (teardown, the recording's conversion) does not count.
 *
 * A foreign program that was restarted meanwhile has no figure: its first part is gone.
 */
import type { LabAccount, LoadAccount, MachineAccount, ProcessAccount } from '../../model/lab.ts';
import { SATURATED_SHARE } from '../../model/lab.ts';
import type { Micros } from '../../model/units.ts';
import { LoopMeter } from '../runtime/loop-meter.ts';
import type { WorkerAccount } from './messages.ts';
import { type MachineTime, machineTime, sessionTime } from './process-time.ts';

/** A foreign program to account for. */
export interface Accountable {
  readonly name: string;
  /** Leader of its session; null for a server that runs elsewhere. */
  readonly session: number | null;
}

interface Began {
  readonly cpu: NodeJS.CpuUsage;
  readonly machine: MachineTime | null;
  readonly sessions: ReadonlyMap<number, Micros | null>;
}

export class LabMeter {
  readonly #loop = new LoopMeter();
  #began: Began | null = null;
  #window: MachineTime | null = null;
  #saturated: Micros = 0;

  async begin(foreign: readonly Accountable[]): Promise<void> {
    const sessions = await timesOf(foreign);
    const machine = await machineTime();
    this.#window = machine;
    this.#began = { cpu: process.cpuUsage(), machine, sessions };
    this.#loop.begin();
  }

  /** Once a second during the load. */
  async nextWindow(): Promise<void> {
    this.#loop.nextWindow();
    const before = this.#window;
    const now = await machineTime();
    if (before === null || now === null || this.#began === null) return;
    this.#window = now;
    const { busy, stolen } = sharesOf(before, now);
    if (busy + stolen < SATURATED_SHARE) return;
    this.#saturated += (now.total - before.total) / now.cores;
  }

  /** `workers`: in the order of the plan, null where one has died. */
  async end(
    workers: readonly { readonly name: string; readonly account: WorkerAccount | null }[],
    foreign: readonly Accountable[],
  ): Promise<LabAccount | null> {
    const began = this.#began;
    if (began === null) return null;
    const { user, system } = process.cpuUsage(began.cpu);
    const eventLoop = this.#loop.account();
    this.#loop.stop();
    const sessions = await timesOf(foreign);
    await this.nextWindow();
    const processes = workers.map(
      ({ name, account }): ProcessAccount => ({
        name,
        hops: account?.hops ?? [],
        foreign: false,
        sockets: account?.sockets ?? null,
        cpu: account?.cpu ?? null,
        eventLoop: account?.eventLoop ?? null,
      }),
    );
    for (const { name, session } of foreign) {
      const cpu = difference(began.sessions.get(session ?? -1), sessions.get(session ?? -1));
      processes.push({ name, hops: [name], foreign: true, sockets: null, cpu, eventLoop: null });
    }
    processes.push({
      name: 'supervisor',
      hops: [],
      foreign: false,
      sockets: null,
      cpu: user + system,
      eventLoop,
    });
    const load: LoadAccount[] = workers.flatMap(({ account }) => account?.load ?? []);
    return { processes, machine: this.#machine(began.machine), load };
  }

  #machine(before: MachineTime | null): MachineAccount | null {
    if (before === null || this.#window === null) return null;
    const { cores } = before;
    return { cores, ...sharesOf(before, this.#window), saturated: this.#saturated };
  }
}

async function timesOf(foreign: readonly Accountable[]): Promise<Map<number, Micros | null>> {
  const times = new Map<number, Micros | null>();
  for (const { session } of foreign) {
    if (session !== null) times.set(session, await sessionTime(session));
  }
  return times;
}

function difference(
  before: Micros | null | undefined,
  after: Micros | null | undefined,
): Micros | null {
  if (before === null || before === undefined || after === null || after === undefined) return null;
  return after >= before ? after - before : null;
}

function sharesOf(before: MachineTime, after: MachineTime): { busy: number; stolen: number } {
  const total = Math.max(after.total - before.total, 1);
  return {
    busy: (after.busy - before.busy) / total,
    stolen: (after.stolen - before.stolen) / total,
  };
}
