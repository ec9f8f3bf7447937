/**
 * `waterhammer ledger`: strikes the books of a recording again, from its events if it has them,
 * and answers which connection carried a request on each link.
 */
import { ledger as strikeLedger } from '../measure/ledger.ts';
import type { ConnectionRow, ExchangeRow } from '../measure/rows.ts';
import { type TraceStep, trace, traceConnection } from '../measure/trace.ts';
import { unpackAddress } from '../model/event.ts';
import type { Summary } from '../model/summary.ts';
import { readConnections, readExchanges, replayEvents } from '../recording/recording.ts';
import { readRun } from '../recording/run-document.ts';
import type { RunDocument } from '../recording/run-format.ts';
import { ExitCode } from './exit-code.ts';
import { recountRows } from './recount-rows.ts';
import { booksText } from './text-summary.ts';

export interface LedgerCommandOptions {
  readonly client?: string;
  readonly request?: number;
  readonly json?: boolean;
}

export async function ledger(recording: string, options: LedgerCommandOptions): Promise<number> {
  const run = await readRun(recording);
  if (options.client !== undefined) return follow(recording, run, options);
  const summary = await strikeAgain(recording, run);
  if (options.json === true) process.stdout.write(`${JSON.stringify(summary, null, 2)}\n`);
  else process.stdout.write(booksText(summary));
  return summary.balanced === false ? ExitCode.failed : ExitCode.done;
}

/** From every event where they were recorded, else from the rows that were made of them. */
async function strikeAgain(recording: string, run: RunDocument): Promise<Summary> {
  if (!run.recording.tables.includes('events') && !run.recording.tables.includes('ndjson')) {
    return recountRows(recording, run);
  }
  const books = strikeLedger(run);
  await replayEvents(recording, books.visit);
  return { ...books.finish().summary, recording, findings: [] };
}

async function follow(
  recording: string,
  run: RunDocument,
  options: LedgerCommandOptions,
): Promise<number> {
  const [group, client] = clientOf(run, options.client ?? '');
  const request = options.request ?? 1;
  const rows: ExchangeRow[] = [];
  for await (const batch of readExchanges(recording)) rows.push(...batch);
  const steps =
    group === null ? traceConnection(rows, client, request) : trace(rows, group, client, request);
  if (steps.length === 0) {
    process.stderr.write(
      `waterhammer: error: no exchange of request ${request} of client ${options.client} was ` +
        `recorded\n`,
    );
    return ExitCode.badInput;
  }
  const connections = new Map<number, ConnectionRow>();
  const wanted = new Set(steps.map((step) => step.connection));
  for await (const batch of readConnections(recording)) {
    for (const row of batch) if (wanted.has(row.connection)) connections.set(row.connection, row);
  }
  const shown = steps.map((step) => describe(run, step, connections.get(step.connection)));
  process.stdout.write(
    options.json === true ? `${JSON.stringify(shown, null, 2)}\n` : shown.map(line).join(''),
  );
  return ExitCode.done;
}

/** `7` means client 7 of the only group; `mobile/7` of that group; external ones have no group. */
function clientOf(run: RunDocument, text: string): [group: string | null, client: number] {
  const groups = run.topology.hops.filter((hop) => hop.kind === 'clients').map((hop) => hop.name);
  const slash = text.lastIndexOf('/');
  const number = Number(text.slice(slash + 1));
  const external = run.plan.instances.some(
    (instance) => instance.process < 0 && groups.includes(instance.hop),
  );
  const group = slash === -1 ? groups[0] : text.slice(0, slash);
  const bad = !Number.isInteger(number) || group === undefined || !groups.includes(group);
  if (bad || (slash === -1 && groups.length > 1 && !external)) {
    const message =
      `--client ${text}: write a number, or group/number with one of ` + `${groups.join(', ')}`;
    throw Object.assign(new Error(message), { code: 'bad-argument' });
  }
  return [external ? null : group, number];
}

interface Shown {
  readonly link: string;
  readonly connection: number;
  readonly requestOnConnection: number;
  readonly from: string | null;
  readonly to: string | null;
  readonly attempt: number | null;
  readonly startedSeconds: number;
  readonly tookMs: number | null;
  readonly status: number | null;
}

function describe(run: RunDocument, step: TraceStep, row: ConnectionRow | undefined): Shown {
  const address = (packed: number | null | undefined): string | null =>
    packed === null || packed === undefined ? null : unpackAddress(packed);
  return {
    link: run.plan.links[step.link]?.name ?? '?',
    connection: step.connection,
    requestOnConnection: step.ordinal,
    from: address(row?.connectorAddress),
    to: address(row?.acceptorAddress),
    attempt: step.attempt,
    startedSeconds: (step.startedAt - run.loadStart) / 1e6,
    tookMs: step.endedAt === null ? null : (step.endedAt - step.startedAt) / 1e3,
    status: step.status,
  };
}

function line(step: Shown): string {
  const took = step.tookMs === null ? 'no answer' : `${step.tookMs.toFixed(1)} ms`;
  return (
    `${step.startedSeconds.toFixed(3).padStart(9)} s  ${step.link.padEnd(24)} ` +
    `connection ${step.connection} (${step.from ?? '?'} -> ${step.to ?? '?'}), ` +
    `its request ${step.requestOnConnection}, status ${step.status ?? '-'}, ${took}\n`
  );
}
