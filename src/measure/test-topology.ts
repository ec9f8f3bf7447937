/** For tests only: a chain of the incident's hops, with settings that do not matter here. */
import type {
  AppHop,
  ClientsHop,
  ConnectionQueueHop,
  DatabaseHop,
  GatewayHop,
  Hop,
  L4BalancerHop,
  PoolSettings,
  ProcessGroup,
  Topology,
  WebServerHop,
} from '../model/topology.ts';

export interface TopologyOptions {
  /** Names out of clients, apigw, nlb, queue, web, app, db, in this order; all by default. */
  readonly hops?: readonly string[];
  readonly clients?: number;
  readonly activeMax?: number;
  readonly hosts?: number;
  readonly nginx?: boolean;
  readonly mariadb?: boolean;
  readonly healthCheck?: boolean;
  readonly whileHeld?: 'unread' | 'watch';
}

const ALL = ['clients', 'apigw', 'nlb', 'queue', 'web', 'app', 'db'];
const ON_HOSTS = ['queue', 'web', 'app'];
const FRONT = ['apigw', 'db'];

export function testTopology(options: TopologyOptions): Topology {
  const names = options.hops ?? ALL;
  const hops = names.map((name, position) => hop(name, names[position + 1] ?? null, options));
  return {
    name: 'test',
    description: '',
    duration: 20_000_000,
    startTimeOfDay: 0,
    starvedAfter: 1_000_000,
    hops,
    hosts: [
      {
        name: 'ec2',
        count: options.hosts ?? 1,
        hops: names.filter((name) => ON_HOSTS.includes(name)),
      },
    ],
    timeline: [],
    faults: [],
    processes: processes(names),
    applied: { scale: 1, timeScale: 1 },
  };
}

/** Three processes, so that no chain lives in one. */
function processes(names: readonly string[]): ProcessGroup[] {
  const groups: ProcessGroup[] = [
    { name: 'load', hops: names.filter((name) => name === 'clients') },
    { name: 'front', hops: names.filter((name) => FRONT.includes(name)) },
    { name: 'back', hops: names.filter((name) => name !== 'clients' && !FRONT.includes(name)) },
  ];
  return groups.filter((group) => group.hops.length > 0);
}

const pool: PoolSettings = {
  connectionsMax: 0,
  waitersMax: 0,
  idleTimeout: 0,
  requestsPerConnectionMax: 0,
  reuse: 'lifo',
};
const none = { kind: 'constant', value: 0 } as const;

function hop(name: string, upstream: string | null, options: TopologyOptions): Hop {
  const base = { name, upstream, listen: null, upstreamDelay: 0 };
  const server = { ...base, backlog: 4_096, ephemeralPorts: 28_232 };
  switch (name) {
    case 'clients':
      return { ...base, ...clients, count: options.clients ?? 4 };
    case 'apigw':
      return { ...server, ...gateway };
    case 'nlb':
      return { ...server, ...balancer(options.healthCheck ?? false) };
    case 'queue': {
      const { activeMax = 15, whileHeld = 'unread' } = options;
      return { ...server, ...queue, activeMax, whileHeld };
    }
    case 'web':
      return { ...server, ...web, implementation: options.nginx ? 'nginx' : 'builtin' };
    case 'app':
      return { ...server, ...app };
    default:
      return { ...server, ...database, implementation: options.mariadb ? 'mariadb' : 'embedded' };
  }
}

type Rest<H extends Hop> = Omit<
  H,
  'name' | 'upstream' | 'listen' | 'upstreamDelay' | 'backlog' | 'ephemeralPorts'
>;

const clients: Rest<ClientsHop> = {
  kind: 'clients',
  count: 1,
  workload: { kind: 'open', rate: { shape: 'constant', value: 1 }, arrivals: 'constant' },
  pool,
  requestsPerIteration: 0,
  postShare: 0,
  path: '/',
  bodyBytes: 0,
  connectTimeout: 0,
  timeout: 0,
  patience: { kind: 'constant', value: 0 },
  retry: { attemptsMax: 1, backoff: 0, backoffMax: 0, jitter: 0, budget: 1, on: [] },
};

const gateway: Rest<GatewayHop> = {
  kind: 'gateway',
  implementation: 'builtin',
  nodes: 1,
  poolsPerNode: 1,
  spread: 'request',
  pool,
  throttle: { ratePerSecond: 0, burst: 0 },
  clientIdleTimeout: 0,
  requestHeadTimeout: 0,
  requestBodyTimeout: 0,
  connectTimeout: 0,
  integrationTimeout: 0,
};

function balancer(enabled: boolean): Rest<L4BalancerHop> {
  return {
    kind: 'l4-balancer',
    implementation: 'builtin',
    algorithm: 'flow-hash',
    idleTimeout: 0,
    healthCheck: {
      enabled,
      hop: 'web',
      path: '/',
      interval: 0,
      timeout: 0,
      healthyThreshold: 1,
      unhealthyThreshold: 1,
    },
    deregistrationDelay: 0,
  };
}

const queue: Rest<ConnectionQueueHop> = {
  kind: 'connection-queue',
  implementation: 'builtin',
  activeMax: 15,
  heldMax: 1_000,
  heldTimeout: 0,
  order: 'fifo',
  reclaim: 'none',
  reclaimAfter: 0,
  whileHeld: 'unread',
};

const web: Rest<WebServerHop> = {
  kind: 'web-server',
  implementation: 'builtin',
  keepAliveTimeout: 0,
  keepAliveRequests: 0,
  keepAliveTime: 0,
  requestHeadTimeout: 0,
  requestBodyTimeout: 0,
  workerConnections: 0,
  upstreamIdleMax: 0,
  upstreamIdleTimeout: 0,
  connectTimeout: 0,
  responseTimeout: 0,
};

const app: Rest<AppHop> = {
  kind: 'app',
  implementation: 'node',
  serviceTime: none,
  concurrencyMax: 0,
  waitingMax: 100_000,
  contention: 0,
  queriesPerRequest: 1,
  statements: 1,
  keepAliveTimeout: 0,
  responseBytes: 0,
  pool: { min: 0, max: 5, idle: 0, acquire: 0, evict: 0 },
};

const database: Rest<DatabaseHop> = {
  kind: 'database',
  implementation: 'embedded',
  url: null,
  connectionsMax: 0,
  serviceTime: none,
  concurrencyMax: 4,
  waitingMax: 100_000,
  contention: 0,
  preparedStatementsMax: 0,
};
