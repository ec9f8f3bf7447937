/**
 * The schema of a topology document, made from the catalog. Zod checks the structure (which
 * maps and lists there are, which keys they may have) and turns texts with units into numbers;
 * the same schema gives the JSON Schema. What concerns several hops at once is in `check-*.ts`.
 *
 * Importing this file loads zod (about 100 ms): the command line imports it only when it needs
 * a topology.
 */
import { z } from 'zod';
import type { HopKind } from '../model/topology.ts';
import { ACTION_SETTINGS, ENTRY_SETTINGS } from './catalog/actions.ts';
import {
  HOP_KINDS,
  HOP_SETTINGS,
  HOST_SETTINGS,
  NAME_HINT,
  NAME_PATTERN,
  TOPOLOGY_SETTINGS,
} from './catalog/catalog.ts';
import { HABIT_NAMES, HABITS, WORKLOAD_KINDS, WORKLOAD_SETTINGS } from './catalog/clients.ts';
import { FAULT_SETTINGS, PROCESS_SETTINGS } from './catalog/faults.ts';
import { OWN_CHOICE } from './catalog/pool.ts';
import { choice, isSetting, optionalText, type Setting, type Settings, text } from './setting.ts';
import type { Refusal } from './units.ts';

type Loose = Record<string, unknown>;
type Shape = Record<string, z.ZodType>;

function leaf(setting: Setting<unknown>): z.ZodType {
  const value = z.unknown().transform((raw, context) => {
    const parsed = raw === undefined ? MISSING : setting.parse(raw);
    if ('value' in parsed) return parsed.value;
    context.addIssue({
      code: 'custom',
      message: parsed.message,
      path: [...(parsed.path ?? [])],
      params: { suggestion: parsed.suggestion },
    });
    return z.NEVER;
  });
  const derived = setting.derived === undefined ? '' : ` Default: ${setting.derived}.`;
  const about = {
    description: setting.description + derived,
    source: setting.source,
    ...(setting.unit === 'none' ? {} : { unit: setting.unit }),
    ...setting.json,
  };
  if (setting.derived !== undefined) return value.optional().meta(about);
  if (setting.default === undefined) return value.meta(about);
  return value.prefault(setting.default).meta(about);
}

const MISSING: Refusal = { message: 'this must be given', suggestion: null };

function shapeOf(tree: Settings): Shape {
  const shape: Shape = {};
  for (const [name, one] of Object.entries(tree)) {
    shape[name] = isSetting(one) ? leaf(one) : z.strictObject(shapeOf(one)).prefault({});
  }
  return shape;
}

const name = text({
  pattern: NAME_PATTERN,
  hint: NAME_HINT,
  description: 'Name, unique in the document; paths of settings begin with it.',
  source: 'must be given',
});

const hopNames = z
  .array(leaf(text({ description: 'Name of a hop.', source: 'must be given' })))
  .min(1);

function workloadSchema(): z.ZodType {
  const [closed, open] = WORKLOAD_KINDS.map((kind) =>
    z.strictObject({
      kind: z.literal(kind).prefault(kind),
      ...shapeOf(WORKLOAD_SETTINGS[kind]),
    }),
  );
  if (closed === undefined || open === undefined) throw new Error('two kinds of workload');
  return z.discriminatedUnion('kind', [closed, open]).prefault({ kind: 'closed' }).meta({
    description: 'closed: users that wait for their answers. open: arrivals that do not.',
    source: OWN_CHOICE,
  });
}

function habitSchema(): z.ZodType {
  const habits = HABIT_NAMES.map((one) => HABITS[one].source.replace('habit ', '')).join('; ');
  return leaf(
    choice({
      choices: HABIT_NAMES,
      default: null,
      derived: 'none',
      description: `Preset of pool settings; what is set in the pool wins. ${habits}.`,
      source: OWN_CHOICE,
    }),
  );
}

function hopSchema(kind: HopKind): z.ZodObject<Shape> {
  const upstream = optionalText({
    default: null,
    derived: 'the next hop in the list that is not clients; null for the last',
    description: 'The next hop toward the database.',
    source: OWN_CHOICE,
  });
  const listen = optionalText({
    default: null,
    pattern: /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}:\d{1,5}$/,
    hint: 'write a loopback address and a port, such as 127.0.0.1:8080',
    description: 'Address and port of the first replica; null = any free port.',
    source: OWN_CHOICE,
  });
  return z
    .strictObject({
      name: leaf(name),
      kind: z.literal(kind),
      upstream: leaf(upstream),
      listen: leaf(listen),
      ...(kind === 'clients' ? { habit: habitSchema(), workload: workloadSchema() } : {}),
      ...shapeOf(HOP_SETTINGS[kind]),
    })
    .meta({ title: kind });
}

function entrySchema(action: keyof typeof ACTION_SETTINGS): z.ZodObject<Shape> {
  const to = z.unknown().meta({
    description: 'The new value, written as in the document.',
    type: ['number', 'string', 'boolean', 'object'],
  });
  return z
    .strictObject({
      action: z.literal(action),
      ...shapeOf(ENTRY_SETTINGS),
      ...shapeOf(ACTION_SETTINGS[action]),
      ...(action === 'set' ? { to } : {}),
    })
    .meta({ title: action });
}

function faultSchema(action: keyof typeof FAULT_SETTINGS): z.ZodObject<Shape> {
  return z
    .strictObject({
      action: z.literal(action),
      ...shapeOf(PROCESS_SETTINGS),
      ...shapeOf(FAULT_SETTINGS[action]),
    })
    .meta({ title: action });
}

function isFault(one: string): one is keyof typeof FAULT_SETTINGS {
  return Object.hasOwn(FAULT_SETTINGS, one);
}

function union(key: string, members: readonly z.ZodObject<Shape>[]): z.ZodType {
  const [first, ...rest] = members;
  if (first === undefined) throw new Error('a union needs members');
  return z.discriminatedUnion(key, [first, ...rest]);
}

function isAction(one: string): one is keyof typeof ACTION_SETTINGS {
  return Object.hasOwn(ACTION_SETTINGS, one);
}

function build(): z.ZodType<Loose> {
  const hosts = z.strictObject({ name: leaf(name), ...shapeOf(HOST_SETTINGS), hops: hopNames });
  const processes = z.strictObject({ name: leaf(name), hops: hopNames });
  return z.strictObject({
    ...shapeOf(TOPOLOGY_SETTINGS),
    hops: z
      .array(union('kind', HOP_KINDS.map(hopSchema)))
      .min(1)
      .meta({ description: 'The chain, from the clients to the database.' }),
    hosts: z
      .array(hosts)
      .prefault([])
      .meta({ description: 'Groups of hosts; each host carries a run of adjacent hops.' }),
    timeline: z
      .array(union('action', Object.keys(ACTION_SETTINGS).filter(isAction).map(entrySchema)))
      .prefault([])
      .meta({ description: 'What happens when, after the start of the load.' }),
    faults: z
      .array(union('action', Object.keys(FAULT_SETTINGS).filter(isFault).map(faultSchema)))
      .prefault([])
      .meta({
        description:
          'What happens at random, drawn from the seed. The word "stochastic" in place of the ' +
          'list stands for a list made for this chain, at the rates of the incident.',
      }),
    processes: z
      .array(processes)
      .prefault([])
      .meta({ description: 'Which hops share a process of the live engine; empty = by default.' }),
  });
}

let built: z.ZodType<Loose> | null = null;

/** The schema; what it gives has every setting, in the units of the model. */
export function documentSchema(): z.ZodType<Loose> {
  built ??= build();
  return built;
}

/** JSON Schema (draft 2020-12) of what a document may say, with defaults and their sources. */
export function jsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(documentSchema(), { io: 'input' });
  return { title: 'waterhammer topology', ...schema };
}
