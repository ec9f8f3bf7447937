/**
 * Real HAProxy in `mode tcp` as L4 balancer or as the connection queue of every host: one
 * HAProxy for a hop, one thread, a `listen` section per listener.
 *
 *   balancer  `balance` over the targets, with HTTP checks of the port that the topology names
 *   queue     one server per host with `maxconn` (activeMax) and `maxqueue` (heldMax)
 *
 * What is not the same as in our own hops. Balancer: an idle flow is closed, not forgotten; when
 * every check fails nobody is served (an NLB fails open); the flow hash is a draw per flow. Queue:
 * a slot is never taken back; HAProxy reads what a held client sends into its buffer, and sees
 * that one has left only with `abortonclose`, which `whileHeld: watch` turns on.
 */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Endpoint } from '../../model/run.ts';
import type { ConnectionQueueHop, L4BalancerHop } from '../../model/topology.ts';
import type { Micros } from '../../model/units.ts';
import { privateFolder, startKept } from './keeper.ts';
import { type ForeignListener, foreignListeners } from './listeners.ts';
import { programPath } from './programs.ts';
import type { ForeignContext, ForeignServer } from './server.ts';

/** HAProxy has no word for "never" here: what no run reaches. */
const NEVER = '20d';
const CONNECT_TIMEOUT = '10s';

const BALANCE = {
  'flow-hash': 'random(1)',
  'round-robin': 'roundrobin',
  'least-connections': 'leastconn',
  'least-outstanding': 'leastconn',
  'random-two': 'random(2)',
} as const;

/** @throws ForeignError `program-missing`, `program-failed` (with HAProxy's own words) */
export async function startHaproxyBalancer(
  hop: L4BalancerHop,
  ctx: ForeignContext,
): Promise<ForeignServer> {
  const blocks = await foreignListeners(hop, ctx);
  const { healthCheck } = hop;
  const idle = time(hop.idleTimeout);
  return start(
    blocks,
    { client: idle, queue: NEVER, check: time(healthCheck.timeout) },
    (block) => [
      `  balance ${BALANCE[hop.algorithm]}`,
      ...(healthCheck.enabled ? checks(healthCheck) : []),
      ...block.targets.map((target, index) => {
        const asked = healthCheck.enabled ? ` ${checked(hop, target, ctx)}` : '';
        return `  server target${index} ${target.address}:${target.port}${asked}`;
      }),
    ],
  );
}

/** @throws ForeignError `program-missing`, `program-failed` (with HAProxy's own words) */
export async function startHaproxyQueue(
  hop: ConnectionQueueHop,
  ctx: ForeignContext,
): Promise<ForeignServer> {
  const blocks = await foreignListeners(hop, ctx);
  // A maxqueue of 0 would be one without limit.
  const limits = `maxconn ${hop.activeMax} maxqueue ${Math.max(1, hop.heldMax)}`;
  const queue = time(hop.heldTimeout);
  return start(blocks, { client: NEVER, queue, check: null }, ({ targets }) => [
    ...(hop.whileHeld === 'watch' ? ['  option abortonclose'] : []),
    `  server next ${targets[0]?.address}:${targets[0]?.port} ${limits}`,
  ]);
}

/** As our own checks, with a Host: without one nginx passes none on, and the app says 400. */
function checks({ path: asked }: L4BalancerHop['healthCheck']): string[] {
  return [
    '  option httpchk',
    `  http-check send meth GET uri ${asked} ver HTTP/1.1 hdr Host alive hdr Connection close`,
    '  http-check expect rstatus ^[123]',
  ];
}

/** How a target is checked: its own host's port on the link that the checks take. */
function checked(
  hop: L4BalancerHop,
  target: Endpoint,
  { plan, endpoints }: ForeignContext,
): string {
  const { interval, healthyThreshold, unhealthyThreshold } = hop.healthCheck;
  const link = plan.links.find((one) => one.downstream === hop.name && one.purpose === 'alive');
  const host = plan.instances[target.instance]?.host ?? null;
  const asked = endpoints.find(
    (one) => one.link === link?.index && (plan.instances[one.instance]?.host ?? null) === host,
  );
  if (asked === undefined) throw new Error(`${hop.name} has nobody to ask whether it is alive`);
  return (
    `check addr ${asked.address} port ${asked.port} inter ${time(interval)} ` +
    `rise ${healthyThreshold} fall ${unhealthyThreshold}`
  );
}

interface Timeouts {
  readonly client: string;
  readonly queue: string;
  readonly check: string | null;
}

async function start(
  blocks: readonly ForeignListener[],
  timeouts: Timeouts,
  lines: (block: ForeignListener) => readonly string[],
): Promise<ForeignServer> {
  const command = programPath('haproxy');
  const folder = privateFolder('haproxy');
  const config = path.join(folder, 'haproxy.cfg');
  const kept = await startKept({
    command,
    args: ['-db', '-f', config],
    folder,
    ready: blocks[0]?.listener.port ?? 0,
    prepare: () => writeFile(config, configuration(blocks, timeouts, lines)),
  });
  const endpoints = blocks.map((block) => block.listener);
  return {
    session: kept.pid,
    endpoints,
    died: kept.died,
    restart: (away) => kept.restart(away),
    stop: () => kept.stop(),
  };
}

/** `maxconn` of the process is left to HAProxy, which works it out from its descriptors. */
function configuration(
  blocks: readonly ForeignListener[],
  { client, queue, check }: Timeouts,
  lines: (block: ForeignListener) => readonly string[],
): string {
  return [
    'global',
    '  nbthread 1',
    'defaults',
    '  mode tcp',
    `  timeout connect ${CONNECT_TIMEOUT}`,
    `  timeout client ${client}`,
    `  timeout server ${client}`,
    `  timeout queue ${queue}`,
    ...(check === null ? [] : [`  timeout check ${check}`]),
    ...blocks.flatMap((block, index) => [
      `listen front${index}`,
      `  bind ${block.listener.address}:${block.listener.port} backlog 4096`,
      ...lines(block),
    ]),
    '',
  ].join('\n');
}

/** A duration in HAProxy's words; 0 = never. */
function time(duration: Micros): string {
  return duration === 0 ? NEVER : `${Math.max(1, Math.round(duration / 1_000))}ms`;
}
