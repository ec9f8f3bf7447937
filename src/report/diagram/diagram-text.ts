/**
 * The text of the diagrams of one client, from a recording folder. Two passes: the exchanges are
 * read once and only the client's are kept, then the connections that those name.
 */
import type { ConnectionRow } from '../../measure/rows.ts';
import { readConnections, readExchanges } from '../../recording/recording.ts';
import { readRun } from '../../recording/run-document.ts';
import { buildSequence, type SequenceInput } from './build.ts';
import { ClientCollector, type ClientRows, parseClient } from './client-rows.ts';
import type { UpTo } from './lifelines.ts';
import { mermaid } from './mermaid.ts';
import { plantuml } from './plantuml.ts';
import type { SequenceModel } from './sequence.ts';
import { sequenceSvg } from './svg.ts';

export const DIAGRAM_FORMATS = ['plantuml', 'mermaid', 'svg'] as const;
export type DiagramFormat = (typeof DIAGRAM_FORMATS)[number];

export interface DiagramOptions {
  /** `7`, `mobile/7`, or for external clients the number of their connection. */
  readonly client: string;
  /** First and last request, both inclusive, from 1. */
  readonly requests: readonly [number, number];
  readonly format: DiagramFormat;
  readonly which: 'assumed' | 'actual' | 'both';
  /** The last hop that is drawn; default: the web server. */
  readonly upTo?: UpTo;
}

/**
 * Throws a DiagramError (`unknown-client`, `unknown-request`, `too-many-exchanges`) or a
 * RecordingError. Two diagrams follow each other; Mermaid has no way to say that in one text, so
 * two of its diagrams come as Markdown.
 */
export async function diagramText(folder: string, options: DiagramOptions): Promise<string> {
  const input = await readSequenceInput(folder, options.client);
  const which = options.which === 'both' ? (['assumed', 'actual'] as const) : [options.which];
  const models = which.map((one) => buildSequence(input, { ...options, which: one }));
  return WRITERS[options.format](models);
}

const WRITERS: Readonly<Record<DiagramFormat, (models: readonly SequenceModel[]) => string>> = {
  plantuml: (models) => models.map(plantuml).join('\n'),
  mermaid: mermaidText,
  svg: sequenceSvg,
};

function mermaidText(models: readonly SequenceModel[]): string {
  const texts = models.map(mermaid);
  if (texts.length === 1) return texts.join('');
  return texts.map((text) => `\`\`\`mermaid\n${text}\`\`\`\n`).join('\n');
}

/** `client` as on the command line. Throws what `diagramText` throws. */
export async function readSequenceInput(folder: string, client: string): Promise<SequenceInput> {
  const run = await readRun(folder);
  const collector = new ClientCollector(parseClient(client), run.topology, run.plan);
  for await (const rows of readExchanges(folder)) collector.take(rows);
  const found = collector.result();
  return {
    client: found,
    connections: await connectionsOf(folder, found),
    topology: run.topology,
    plan: run.plan,
    until: run.censusAt ?? run.loadEnd,
  };
}

async function connectionsOf(
  folder: string,
  client: ClientRows,
): Promise<Map<number, ConnectionRow>> {
  const wanted = new Set(client.exchanges.map((row) => row.connection));
  const connections = new Map<number, ConnectionRow>();
  for await (const rows of readConnections(folder)) {
    for (const row of rows) {
      if (wanted.has(row.connection)) connections.set(row.connection, row);
    }
  }
  return connections;
}
