/**
 * What `run.json` must look like. In a file of its own, and imported when a recording is read,
 * because the schema library costs a tenth of a second to load.
 *
 * A topology and a summary are large and have grown each time; of them only that is checked
 * which readers of recordings walk over. Their makers check the rest where they make them.
 */
import { z } from 'zod';
import type { Summary } from '../model/summary.ts';
import type { Hop, Topology } from '../model/topology.ts';
import { RECORDING_FORMAT, type RunDocument } from './run-format.ts';

const index = z.number().int().nonnegative();
const micros = z.number();

const HOP_KINDS: readonly Hop['kind'][] = [
  'clients',
  'edge',
  'gateway',
  'l4-balancer',
  'l7-balancer',
  'connection-queue',
  'web-server',
  'app',
  'database',
];

const topologyShape = z.looseObject({
  name: z.string(),
  starvedAfter: micros,
  hops: z.array(
    z.looseObject({ name: z.string(), kind: z.enum(HOP_KINDS), upstream: z.string().nullable() }),
  ),
  hosts: z.array(z.looseObject({ name: z.string(), count: index, hops: z.array(z.string()) })),
  timeline: z.array(z.unknown()),
  processes: z.array(z.unknown()),
});

const summaryShape = z.looseObject({
  clients: z.array(z.unknown()),
  links: z.array(z.unknown()),
  queues: z.array(z.unknown()),
  findings: z.array(z.unknown()),
});

const instance = z.object({
  index,
  hop: z.string(),
  replica: index,
  host: z.string().nullable(),
  process: z.number().int().min(-1),
});

const link = z.object({
  index,
  name: z.string(),
  downstream: z.string(),
  upstream: z.string(),
  purpose: z.enum(['traffic', 'alive']),
});

/** Instances and links are found by their index: it must be their place. */
const inPlace = (list: readonly { readonly index: number }[]): boolean =>
  list.every((one, place) => one.index === place);

const spool = z.object({
  process: z.number().int(),
  events: index,
  segments: index,
  missingEvents: index,
  truncatedBytes: index,
});

const eventLoop = z.object({
  delayP50: micros.nullable(),
  delayP99: micros.nullable(),
  delayMax: micros,
  utilisation: z.number(),
  saturated: micros,
});

/** Recordings of earlier versions have none. */
const lab = z.object({
  processes: z.array(
    z.object({
      name: z.string(),
      hops: z.array(z.string()),
      foreign: z.boolean(),
      // Not told by versions before 0.1.0.
      sockets: z.enum(['native', 'handle', 'net']).nullable().default(null),
      cpu: micros.nullable(),
      eventLoop: eventLoop.nullable(),
    }),
  ),
  machine: z
    .object({ cores: index, busy: z.number(), stolen: z.number(), saturated: micros })
    .nullable(),
  load: z.array(
    z.object({
      hop: z.string(),
      requests: index,
      latenessP99: micros.nullable(),
      latenessMax: micros,
    }),
  ),
});

const runDocument = z.looseObject({
  recording: z.object({
    format: z.literal(RECORDING_FORMAT),
    formatVersion: index,
    state: z.enum(['prepared', 'running', 'complete', 'recovered']),
    tables: z.array(z.enum(['connections', 'exchanges', 'series', 'slots', 'events', 'ndjson'])),
    spools: z.array(spool),
  }),
  engine: z.enum(['live', 'sim', 'capture']),
  version: z.string(),
  seed: z.number(),
  topology: z.custom<Topology>((value) => topologyShape.safeParse(value).success),
  topologyHash: z.string(),
  plan: z.object({
    instances: z.array(instance).refine(inPlace, 'instances are out of place'),
    links: z.array(link).refine(inPlace, 'links are out of place'),
    processes: z.array(z.string()),
  }),
  endpoints: z.array(
    z.object({ instance: index, link: index, address: z.string(), port: index.max(65_535) }),
  ),
  epoch: micros,
  loadStart: micros,
  loadEnd: micros.nullable(),
  censusAt: micros.nullable(),
  marks: z.array(
    z.object({
      at: micros,
      text: z.string(),
      kind: z.enum(['fault', 'set', 'phase', 'note', 'crash']),
    }),
  ),
  eventCounts: z.array(index),
  kernel: z
    .array(
      z.object({
        link: z.string(),
        acceptorRows: index,
        connectorRows: index,
        // Not told by versions before 0.1.0.
        waitingRows: index.default(0),
        movedRows: index.default(0),
      }),
    )
    .nullable(),
  deaths: z.array(z.object({ process: z.number().int(), at: micros, reason: z.string() })),
  lab: lab.nullable().default(null),
  summary: z.custom<Summary | null>(
    (value) => value === null || summaryShape.safeParse(value).success,
  ),
});

export interface ParsedRun {
  /** null if there are problems. */
  readonly value: RunDocument | null;
  /** `path: what is wrong`, all of them. */
  readonly problems: readonly string[];
}

export function parseRunDocument(document: unknown): ParsedRun {
  const parsed = runDocument.safeParse(document);
  if (parsed.success) return { value: parsed.data, problems: [] };
  const problems = parsed.error.issues.map(
    (issue) => `${issue.path.join('.') || 'the document'}: ${issue.message}`,
  );
  return { value: null, problems };
}
