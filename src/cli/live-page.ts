/**
 * The page of a run that goes on: opened when everything listens, told what the run does, and
 * kept for as long as somebody looks after its end.
 */
import type { RunInfo } from '../model/run.ts';
import type { Summary } from '../model/summary.ts';
import type { Micros } from '../model/units.ts';
import { PageServer } from '../serve/page-server.ts';
import { RunningRun } from '../serve/running-run.ts';
import { SpoolFollower } from '../serve/spool-follower.ts';
import { changeablePaths } from '../serve/story/changeable.ts';
import { type RunFace, runFace } from '../serve/story/run-face.ts';
import { onInterrupt } from './interruption.ts';

/** A page that is loaded anew is away for a moment. */
const GRACE_MS = 3_000;

interface LivePageOptions {
  readonly name: string;
  /** Where the run's processes write their events; null = parts are told by `run.tell`. */
  readonly folder: string | null;
  readonly recording: string | null;
  readonly info: () => RunInfo;
  /** False where only series are told. */
  readonly hasConnections?: boolean;
  /** µs since the start of the load from which on requests are told. */
  readonly requestsFrom?: () => Micros;
  /** The first page has come. */
  readonly onWatched?: () => void;
  readonly control?: (request: unknown) => Promise<{ ok: boolean; text: string }>;
}

/** What is known when the run has ended. */
interface Struck {
  summary: Summary | null;
}

export class LivePage {
  readonly run: RunningRun;
  readonly #server: PageServer;
  readonly #follower: SpoolFollower | null;
  readonly #struck: Struck;

  private constructor(
    run: RunningRun,
    server: PageServer,
    follower: SpoolFollower | null,
    struck: Struck,
  ) {
    this.run = run;
    this.#server = server;
    this.#follower = follower;
    this.#struck = struck;
  }

  /** Prints its address. A page that cannot be served is told of, and does not stop the run. */
  static async open(options: LivePageOptions): Promise<LivePage | null> {
    const struck: Struck = { summary: null };
    let follower: SpoolFollower | null = null;
    const { control } = options;
    const run = new RunningRun({
      face: () => faceOf(options, struck.summary),
      onWatched: () => {
        options.onWatched?.();
        follower?.begin();
      },
      ...(control === undefined ? {} : { control }),
    });
    if (options.folder !== null) {
      follower = new SpoolFollower(options.folder, run, options.info);
    }
    try {
      const server = await PageServer.open([run]);
      process.stderr.write(`to look at it: ${server.url}\n`);
      return new LivePage(run, server, follower, struck);
    } catch (thrown) {
      const why = thrown instanceof Error ? thrown.message : String(thrown);
      process.stderr.write(`no page: ${why}\n`);
      return null;
    }
  }

  /** Everything was written: tells the rest, before the events are gone. */
  async loadEnded(): Promise<void> {
    await this.#follower?.end();
  }

  over(summary: Summary): void {
    this.#struck.summary = summary;
    this.run.over();
  }

  /** Stays as long as somebody looks, or until Ctrl-C; then it is gone. */
  async stay(): Promise<void> {
    if (this.#server.viewers.everEntered) {
      const interruption = onInterrupt('quiet');
      process.stderr.write('the page stays as long as it is open (Ctrl-C ends)\n');
      await this.#server.unwatched(GRACE_MS, interruption.signal);
      interruption.stop();
    }
    await this.close();
  }

  async close(): Promise<void> {
    this.run.over();
    await this.#server.close();
  }
}

function faceOf(
  { name, recording, info, hasConnections = true, requestsFrom, control }: LivePageOptions,
  summary: Summary | null,
): RunFace {
  const now = info();
  return runFace(now, {
    name,
    state: summary === null ? 'running' : 'over',
    summary,
    recording,
    hasConnections,
    oneClientIn: 1,
    requestsFrom: requestsFrom?.() ?? 0,
    controllable: control !== undefined && summary === null,
    changeable: changeablePaths(now.topology),
  });
}
