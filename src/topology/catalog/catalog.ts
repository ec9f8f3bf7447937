/**
 * The catalog: every setting of a topology document, with its default and the default's source.
 * One table per kind of hop; adding a kind means adding a file here and a line below.
 */
import type { Hop, HopKind, HostGroup, Topology } from '../../model/topology.ts';
import {
  duration,
  integer,
  isSetting,
  type Setting,
  type Settings,
  type SettingsFor,
  text,
  timeOfDay,
} from '../setting.ts';
import { own } from '../units.ts';
import { L4_BALANCER_SETTINGS, L7_BALANCER_SETTINGS } from './balancers.ts';
import { CLIENTS_SETTINGS, WORKLOAD_SETTINGS } from './clients.ts';
import { EDGE_SETTINGS, GATEWAY_SETTINGS } from './front.ts';
import {
  APP_SETTINGS,
  CONNECTION_QUEUE_SETTINGS,
  DATABASE_SETTINGS,
  WEB_SERVER_SETTINGS,
} from './host.ts';
import { OWN_CHOICE } from './pool.ts';

/** Every kind of hop. The settings of `clients` lack `workload`, which depends on its kind. */
export const HOP_SETTINGS = {
  clients: CLIENTS_SETTINGS,
  edge: EDGE_SETTINGS,
  gateway: GATEWAY_SETTINGS,
  'l4-balancer': L4_BALANCER_SETTINGS,
  'l7-balancer': L7_BALANCER_SETTINGS,
  'connection-queue': CONNECTION_QUEUE_SETTINGS,
  'web-server': WEB_SERVER_SETTINGS,
  app: APP_SETTINGS,
  database: DATABASE_SETTINGS,
} satisfies Readonly<Record<HopKind, Settings>>;

export const HOP_KINDS: readonly HopKind[] = [
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

export const NAME_PATTERN = /^[A-Za-z][A-Za-z0-9_-]{0,62}$/;
export const NAME_HINT = 'a name is a letter, then letters, digits, - or _';

export const TOPOLOGY_SETTINGS = {
  name: text({
    default: null,
    derived: 'the name of the file',
    pattern: /^[^\n\r]{1,100}$/,
    hint: 'a name is one line of at most 100 characters',
    description: 'Name of the topology.',
    source: OWN_CHOICE,
  }),
  description: text({
    default: '',
    description: 'What the topology shows.',
    source: OWN_CHOICE,
  }),
  duration: duration({
    min: 1_000,
    default: '60s',
    description: 'How long a run lasts unless told otherwise.',
    source: OWN_CHOICE,
  }),
  startTimeOfDay: timeOfDay({
    default: '12:00',
    description: 'Time of day at the start of the load, for diurnal shapes.',
    source: OWN_CHOICE,
  }),
  starvedAfter: duration({
    min: 1,
    default: '1s',
    description: 'A request that waits unread longer than this makes its connection starved.',
    source: OWN_CHOICE,
  }),
} satisfies SettingsFor<
  Pick<Topology, 'name' | 'description' | 'duration' | 'startTimeOfDay' | 'starvedAfter'>
>;

export const HOST_SETTINGS = {
  count: integer({
    min: 1,
    max: 10_000,
    default: 1,
    follows: 'replicas',
    description: 'Hosts of the group; each carries one replica of each of its hops.',
    source: OWN_CHOICE,
  }),
} satisfies SettingsFor<Pick<HostGroup, 'count'>>;

/** The settings of a hop of that kind. `workload` tells which of a client group's it has. */
export function hopSettings(kind: HopKind, workload: 'closed' | 'open'): Settings {
  if (kind !== 'clients') return HOP_SETTINGS[kind];
  return { ...HOP_SETTINGS.clients, workload: WORKLOAD_SETTINGS[workload] };
}

export function settingsOf(hop: Hop): Settings {
  return hopSettings(hop.kind, hop.kind === 'clients' ? hop.workload.kind : 'closed');
}

/** The setting or group at a path, or how far the path leads and what there is instead. */
export function findSetting(
  tree: Settings,
  path: readonly string[],
):
  | { readonly found: Setting<unknown> | Settings }
  | { readonly depth: number; readonly names: readonly string[] } {
  let here: Setting<unknown> | Settings = tree;
  for (const [depth, name] of path.entries()) {
    if (isSetting(here)) return { depth, names: [] };
    const next: Setting<unknown> | Settings | undefined = own(here, name);
    if (next === undefined) return { depth, names: Object.keys(here) };
    here = next;
  }
  return { found: here };
}

/** Visits each setting of a tree together with its value in `holder`. */
export function eachSetting(
  tree: Settings,
  holder: object,
  visit: (path: readonly string[], setting: Setting<unknown>, value: unknown) => void,
  path: readonly string[] = [],
): void {
  for (const [name, one] of Object.entries(tree)) {
    const value: unknown = Reflect.get(holder, name);
    if (isSetting(one)) visit([...path, name], one, value);
    else if (isHolder(value)) eachSetting(one, value, visit, [...path, name]);
  }
}

/** A copy of `holder` with each setting of the tree replaced; what is not in the tree stays. */
export function mapSettings<T extends object>(
  tree: Settings,
  holder: T,
  change: (setting: Setting<unknown>, value: unknown) => unknown,
): T {
  const changed: Record<string, unknown> = {};
  for (const [name, one] of Object.entries(tree)) {
    const value: unknown = Reflect.get(holder, name);
    if (isSetting(one)) changed[name] = change(one, value);
    else if (isHolder(value)) changed[name] = mapSettings(one, value, change);
  }
  return { ...holder, ...changed };
}

function isHolder(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
