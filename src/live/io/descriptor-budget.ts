/**
 * The file descriptors that one process may spend on connections, and how many are spent.
 *
 *   0 ──────────────────────── 3/4 ──── 7/8 ────── limit ── reserve ── RLIMIT_NOFILE
 *          accepting entries  resumes  stops           files, pipes, listeners
 *
 * A process that runs out of descriptors loses connections: libuv then accepts and closes what
 * waits in the backlog (`uv__emfile_trick`, src/unix/stream.c), and no file can be opened any
 * more. So *entries* (connections that come into the process from outside, on which nothing in it
 * waits) stop being accepted earlier: when they are half of the limit, because a relay needs a
 * second descriptor for each (HAProxy derives `maxconn` from the limit the same way), or when
 * seven eighths are in use by whatever. They resume some way below, so that a process at its
 * limit does not stop and go with each connection; and a few may always come in, so that idle
 * pools which fill the rest cannot keep everybody out.
 *
 * Connections between hops of the process are not kept waiting, for those who wait for them hold
 * the descriptors that they wait for. Beyond the limit they fail, and are counted as failures.
 *
 * Pure: who accepts entries asks `mayEnter`, and waits with `whenFree`. Left out: fairness among
 * the listeners of a process. All of them resume at once, in the order in which they stopped.
 */
const STOP_SHARE = 7 / 8;
const RESUME_SHARE = 3 / 4;
const ENTRIES_SHARE = 1 / 2;
const ENTRIES_ALWAYS_SHARE = 1 / 16;

export class DescriptorBudget {
  /** Connections of all kinds; Infinity where nothing is known. */
  readonly limit: number;
  readonly #entriesAlways: number;
  #used = 0;
  #entries = 0;
  readonly #waiting = new Set<() => void>();

  constructor(limit: number) {
    this.limit = Math.max(limit, 1);
    this.#entriesAlways = Math.max(this.limit * ENTRIES_ALWAYS_SHARE, 1);
  }

  get used(): number {
    return this.#used;
  }

  get mayEnter(): boolean {
    return this.#isBelow(STOP_SHARE);
  }

  /** More are open than may be: those who came last must go. */
  get isOver(): boolean {
    return this.#used > this.limit;
  }

  /** For a connect; false when there is none left. */
  take(): boolean {
    if (this.#used >= this.limit) return false;
    this.#used += 1;
    return true;
  }

  /** For what has a descriptor already: it counts, limit or not. */
  took(): void {
    this.#used += 1;
  }

  /** What was taken is an entry; `left` before it is given back. */
  entered(): void {
    this.#entries += 1;
  }

  left(): void {
    this.#entries -= 1;
  }

  /** A descriptor that was taken is closed. */
  give(): void {
    if (this.#used === 0) throw new Error('more descriptors given back than taken');
    this.#used -= 1;
    if (this.#waiting.size === 0 || !this.#isBelow(RESUME_SHARE)) return;
    // A copy: who is called may wait again.
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resume of waiting) resume();
  }

  /** Calls once, when entries may come again. */
  whenFree(resume: () => void): void {
    if (this.#isBelow(RESUME_SHARE)) resume();
    else this.#waiting.add(resume);
  }

  /** Takes back a `whenFree`. */
  forget(resume: () => void): void {
    this.#waiting.delete(resume);
  }

  #isBelow(share: number): boolean {
    if (this.#entries < this.#entriesAlways) return true;
    const entriesMax = (this.limit * ENTRIES_SHARE * share) / STOP_SHARE;
    return this.#entries < entriesMax && this.#used < this.limit * share;
  }
}
