/** `waterhammer run`: a topology on real sockets, and a summary. */
import type { Summary } from '../model/summary.ts';
import { processPerHop } from '../topology/process-per-hop.ts';
import { type Executed, execute } from './execute.ts';
import { ExitCode } from './exit-code.ts';
import { INCIDENT, loadTopology } from './load-topology.ts';
import { textSummary } from './text-summary.ts';
import { wantsPage } from './wants-page.ts';

export interface RunCommandOptions {
  readonly duration?: string;
  readonly scale: number;
  readonly timeScale: number;
  readonly set: readonly string[];
  readonly processPerHop?: boolean;
  readonly seed: number;
  readonly record?: string;
  readonly recordEvents?: boolean;
  readonly recordPolicies?: boolean;
  readonly ndjson?: boolean;
  /** commander's name for --no-books. */
  readonly books: boolean;
  /** commander's name for --no-load. */
  readonly load: boolean;
  readonly json?: boolean;
  /** commander's name for --page and --no-page; absent where neither is said. */
  readonly page?: boolean;
  readonly verbose?: boolean;
}

/** `file` null = the incident, as it comes with the package. */
export async function run(document: string | null, options: RunCommandOptions): Promise<number> {
  const loaded = await loadTopology(document ?? INCIDENT, options, options.verbose === true);
  if (loaded === null) return ExitCode.badInput;
  const topology = options.processPerHop === true ? processPerHop(loaded) : loaded;
  const executed = await execute({
    title: topology.name,
    topology,
    seed: options.seed,
    record: options.record ?? null,
    recordEvents: options.recordEvents === true || options.ndjson === true,
    recordPolicies: options.recordPolicies === true,
    bookless: !options.books,
    ndjson: options.ndjson === true,
    externalClients: !options.load,
    verbose: options.verbose === true,
    page: wantsPage(options) && options.books,
  });
  print(executed.summary, options.json === true);
  await executed.page?.stay();
  return exitCodeOf(executed);
}

function print(summary: Summary, json: boolean): void {
  process.stdout.write(json ? `${JSON.stringify(summary, null, 2)}\n` : textSummary(summary));
}

/** Interrupted, failed or not balanced, in this order. */
export function exitCodeOf(executed: Executed): number {
  if (executed.failure !== null) {
    process.stderr.write(`waterhammer: error: ${executed.failure}\n`);
    return ExitCode.failed;
  }
  if (executed.interrupted) return ExitCode.interrupted;
  return executed.summary.balanced === false ? ExitCode.failed : ExitCode.done;
}
