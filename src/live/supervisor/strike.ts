/**
 * The strike of a live run (docs/decisions/striking-the-books.md), asked of its workers:
 *
 *   requests():     endLoad ► answers on their way ► the books of requests are struck
 *   connections():  freeze ► quiet ► census + kernel's table: those of connections are
 *
 * A worker that has died or hangs does not answer; the books of the others are struck all the
 * same.
 */
import type { Endpoint, KernelCount, RunPlan } from '../../model/run.ts';
import type { Micros } from '../../model/units.ts';
import type { Clock } from '../runtime/clock.ts';
import { type KernelView, movedRows, readKernelTable } from './kernel-table.ts';
import type { FromWorker, ToWorker } from './messages.ts';

/**
 * How long the run may take to become quiet before the books are struck all the same: after an
 * overload much is still on its way; clients that are not ours may never stop.
 */
const QUIET_WITHIN_MS = 45_000;
const QUIET_WITHIN_MS_EXTERNAL = 3_000;
const QUIET_POLL_MS = 100;
/** What waits in a backlog or at a foreign server and has not moved for so long will not. */
const STUCK_AFTER_POLLS = 50;
/** How long answers may still come after the last request, and the silence that ends the wait. */
const LAST_ANSWERS_WITHIN_MS = 500;
const LAST_ANSWERS_POLL_MS = 50;

export type Answer<T extends FromWorker['type']> = Extract<FromWorker, { type: T }>;

/** What the strike needs of a worker process. */
export interface StruckWorker {
  send(message: ToWorker): void;
  /** Sends and resolves with the next answer of that type; rejects when the process ends. */
  ask<T extends FromWorker['type']>(message: ToWorker, answer: T): Promise<Answer<T>>;
}

export interface StrikeOptions {
  readonly workers: readonly StruckWorker[];
  readonly clock: Clock;
  readonly plan: RunPlan;
  readonly endpoints: readonly Endpoint[];
  readonly externalClients: boolean;
  readonly onLog: (text: string) => void;
}

export class Strike {
  readonly #options: StrikeOptions;

  constructor(options: StrikeOptions) {
    this.#options = options;
  }

  /** No request begins any more. Resolves with the end of the load. */
  async requests(): Promise<Micros> {
    this.#tell({ type: 'endLoad' });
    await this.#lastAnswers();
    return this.#options.clock.now();
  }

  /** No timer fires any more. Resolves when every live socket has been counted. */
  async connections(): Promise<{ censusAt: Micros; kernel: readonly KernelCount[] | null }> {
    this.#tell({ type: 'freeze' });
    await this.#quiet();
    const before = this.#kernelView();
    await Promise.all(
      this.#options.workers.map((one) => one.ask({ type: 'census' }, 'census').catch(() => null)),
    );
    const kernel = this.#counts(before, this.#kernelView());
    return { censusAt: this.#options.clock.now(), kernel };
  }

  #counts(before: KernelView | null, after: KernelView | null): readonly KernelCount[] | null {
    if (before === null || after === null) return null;
    const moved = movedRows(before, after);
    const { links } = this.#options.plan;
    return after.counts.map((one, index) => ({
      ...one,
      movedRows: moved.get(links[index]?.index ?? -1) ?? 0,
    }));
  }

  /**
   * Answers that are on their way when the load ends are waited for, a short time, so that what
   * is pending at the strike is what waits and not what the last instant happened to cut.
   */
  async #lastAnswers(): Promise<void> {
    let before = -1;
    for (let waited = 0; waited < LAST_ANSWERS_WITHIN_MS; waited += LAST_ANSWERS_POLL_MS) {
      const events = await this.#activity(-1);
      if (events === before && !this.#foreignBusy()) return;
      before = events;
      await new Promise((resolve) => setTimeout(resolve, LAST_ANSWERS_POLL_MS));
    }
  }

  /**
   * Waits until, over one poll, no process has booked an event and the kernel has moved nothing
   * on our connections, or the time is up. (On a busy machine a foreign server may sit on what
   * it was sent for longer than a poll; only the kernel can tell.)
   */
  async #quiet(): Promise<void> {
    const { clock, externalClients, onLog } = this.#options;
    const limit = externalClients ? QUIET_WITHIN_MS_EXTERNAL : QUIET_WITHIN_MS;
    const until = clock.now() + limit * 1_000;
    let before = '';
    let same = 0;
    for (let id = 0; clock.now() < until; id++) {
      const events = await this.#activity(id);
      const kernel = this.#kernelView();
      const now = `${events}\n${kernel?.signature}`;
      same = now === before ? same + 1 : 0;
      if (same > ((kernel?.unsettled ?? 0) === 0 ? 0 : STUCK_AFTER_POLLS)) return;
      before = now;
      await new Promise((resolve) => setTimeout(resolve, QUIET_POLL_MS));
    }
    onLog('the run did not become quiet before the books were struck');
  }

  /** A foreign server has something of ours to read, and has not come to it. */
  #foreignBusy(): boolean {
    if (this.#options.plan.instances.every(({ process }) => process >= 0)) return false;
    return (this.#kernelView()?.unsettled ?? 0) > 0;
  }

  /** Events that all processes together have booked so far. */
  async #activity(id: number): Promise<number> {
    const counts = await Promise.all(
      this.#options.workers.map((one) =>
        one.ask({ type: 'activity', id }, 'activity').catch(() => null),
      ),
    );
    return counts.reduce((sum, one) => sum + (one?.events ?? 0), 0);
  }

  #kernelView(): KernelView | null {
    const { plan, endpoints } = this.#options;
    const foreign = plan.links.filter(({ upstream }) =>
      plan.instances.some(({ hop, process }) => hop === upstream && process < 0),
    );
    const indexes = new Set(foreign.map((link) => link.index));
    return readKernelTable(plan.links, endpoints, indexes);
  }

  #tell(message: ToWorker): void {
    for (const worker of this.#options.workers) worker.send(message);
  }
}
