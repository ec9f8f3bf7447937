/**
 * The topology: one resolved description of a request pipeline, read by every part of
 * waterhammer. `topology/` makes it from a YAML document; nothing here has a default, because
 * a resolved topology has every setting written out (the defaults and their sources are in
 * `topology/`).
 *
 * Hops are listed from the clients (downstream) to the database (upstream). Each names its
 * next hop toward the database; several hops may share one (two CDN distributions in front of
 * one gateway). A `HostGroup` repeats a run of adjacent hops: replica i of one hop of the
 * group talks to replica i of the next.
 */
import type { Bytes, Micros, PerSecond } from './units.ts';

export interface Topology {
  readonly name: string;
  readonly description: string;
  /** How long `run` and `simulate` last unless told otherwise. */
  readonly duration: Micros;
  /** Time of day at the start of the load, for diurnal shapes (µs after midnight). */
  readonly startTimeOfDay: Micros;
  /** A request that waits unread longer than this makes its connection starved. */
  readonly starvedAfter: Micros;
  readonly hops: readonly Hop[];
  readonly hosts: readonly HostGroup[];
  readonly timeline: readonly TimelineEntry[];
  /** What happens at random; `random/fault-timeline.ts` says when, by the run's seed. */
  readonly faults: readonly FaultProcess[];
  /** Process layout of the live engine; empty = the default for the machine. */
  readonly processes: readonly ProcessGroup[];
  /** The factors already applied to this document by --scale and --time-scale (1 = none). */
  readonly applied: { readonly scale: number; readonly timeScale: number };
}

/** EC2 instances, pods, ...: `count` replicas, each carrying one replica of each hop named. */
export interface HostGroup {
  readonly name: string;
  readonly count: number;
  readonly hops: readonly string[];
}

export interface ProcessGroup {
  readonly name: string;
  readonly hops: readonly string[];
}

export type Hop =
  | ClientsHop
  | EdgeHop
  | GatewayHop
  | L4BalancerHop
  | L7BalancerHop
  | ConnectionQueueHop
  | WebServerHop
  | AppHop
  | DatabaseHop;

export type HopKind = Hop['kind'];

interface HopBase {
  readonly name: string;
  /** The next hop toward the database; null for the last one. */
  readonly upstream: string | null;
  /** Fixed `address:port` of the first replica's listener; null = any free loopback port. */
  readonly listen: string | null;
  /** One way, on the link to the upstream. */
  readonly upstreamDelay: Micros;
}

/** A hop that is a machine with a listener. */
interface ServerBase extends HopBase {
  /** Connections that may wait to be accepted. */
  readonly backlog: number;
  /** Local ports toward one listener. */
  readonly ephemeralPorts: number;
}

/** A service time or think time. All parameters in µs. */
export type Distribution =
  | { readonly kind: 'constant'; readonly value: Micros }
  | { readonly kind: 'exponential'; readonly mean: Micros }
  | { readonly kind: 'uniform'; readonly min: Micros; readonly max: Micros }
  | { readonly kind: 'lognormal'; readonly median: Micros; readonly p99: Micros };

/** A value over time: a rate per second (open load) or a share 0..1 of users awake (closed). */
export type Shape =
  | { readonly shape: 'constant'; readonly value: number }
  /** Cosine between `trough` and `peak`, highest at `peakAt` (time of day). */
  | {
      readonly shape: 'diurnal';
      readonly peak: number;
      readonly trough: number;
      readonly peakAt: Micros;
      readonly period: Micros;
    }
  /** Piecewise constant; the first step must be at 0. `at` is relative to the start of the load. */
  | {
      readonly shape: 'steps';
      readonly steps: readonly { readonly at: Micros; readonly value: number }[];
    };

export type Reuse = 'lifo' | 'fifo' | 'random';

/**
 * Connections that a client side keeps to the next hop. 0 = without limit where a maximum is
 * named.
 */
export interface PoolSettings {
  readonly connectionsMax: number;
  /** Requests that may wait for a connection once connectionsMax is reached; 0 = without limit. */
  readonly waitersMax: number;
  /** An idle connection is closed after this; 0 = never. */
  readonly idleTimeout: Micros;
  readonly requestsPerConnectionMax: number;
  readonly reuse: Reuse;
}

export interface ThrottleSettings {
  /** Tokens per second; 0 = no throttle. */
  readonly ratePerSecond: PerSecond;
  readonly burst: number;
}

export interface RetrySettings {
  /** Attempts in all, 1 = no retry. */
  readonly attemptsMax: number;
  readonly backoff: Micros;
  readonly backoffMax: Micros;
  /** Each pause is drawn from (1 - jitter .. 1) x backoff x 2^n. 0..1 */
  readonly jitter: number;
  /** Retries may be at most this share of requests (token bucket); 1 = no budget. */
  readonly budget: number;
  readonly on: readonly RetryReason[];
}
export type RetryReason = 'timeout' | 'reset' | 'refused' | '429' | '5xx';

export interface HealthCheckSettings {
  readonly enabled: boolean;
  /** The hop whose port is asked: for the incident the web server, which bypasses the queue. */
  readonly hop: string;
  readonly path: string;
  readonly interval: Micros;
  readonly timeout: Micros;
  readonly healthyThreshold: number;
  readonly unhealthyThreshold: number;
}

export type BalancerAlgorithm =
  | 'flow-hash'
  | 'round-robin'
  | 'least-connections'
  | 'least-outstanding'
  | 'random-two';

export type Workload =
  /** Arrivals that do not wait for answers. */
  | { readonly kind: 'open'; readonly rate: Shape; readonly arrivals: 'constant' | 'poisson' }
  /** Users that wait for the answer, think, and ask again; `awake` = share of them active. */
  | {
      readonly kind: 'closed';
      readonly thinkTime: Distribution;
      readonly awake: Shape;
      /** First requests are spread evenly over it; or everybody begins with a pause. */
      readonly startWithin: Micros | 'thinkTime';
    };

export interface ClientsHop extends HopBase {
  readonly kind: 'clients';
  /** Clients in this group; each has its own pool (its connection habit). */
  readonly count: number;
  readonly workload: Workload;
  readonly pool: PoolSettings;
  /** Drop the connection after this many requests, as JMeter does at each iteration; 0 = never. */
  readonly requestsPerIteration: number;
  readonly postShare: number;
  readonly path: string;
  readonly bodyBytes: Bytes;
  readonly connectTimeout: Micros;
  /** Per attempt, from the moment it is issued; 0 = none. */
  readonly timeout: Micros;
  /** An attempt is given up after a time drawn from this, if that comes first; 0 = none. */
  readonly patience: Distribution;
  readonly retry: RetrySettings;
}

/** How long a hop that reads HTTP waits for a request; answered with 408 after that. */
export interface RequestTimeouts {
  /** For a whole head, from its first byte; 0 = none. */
  readonly requestHeadTimeout: Micros;
  /** Between two reads of a request's body; 0 = none. */
  readonly requestBodyTimeout: Micros;
}

/** A CDN distribution (CloudFront): several locations, each with its own origin connections. */
export interface EdgeHop extends ServerBase, RequestTimeouts {
  readonly kind: 'edge';
  readonly implementation: 'builtin' | 'nginx';
  readonly locations: number;
  readonly pool: PoolSettings;
  /** Idle keep-alive of client connections. */
  readonly clientIdleTimeout: Micros;
  readonly connectTimeout: Micros;
  readonly connectionAttempts: number;
  readonly responseTimeout: Micros;
  /** Attempts in all for GET and HEAD when the response times out; other methods get 1. */
  readonly responseAttempts: number;
}

/** API Gateway: nodes with pools of their own; a request lands on any node. */
export interface GatewayHop extends ServerBase, RequestTimeouts {
  readonly kind: 'gateway';
  readonly implementation: 'builtin' | 'nginx';
  readonly nodes: number;
  readonly poolsPerNode: number;
  /** What is assigned to a node by chance: each request, or each client connection. */
  readonly spread: 'request' | 'connection';
  readonly pool: PoolSettings;
  readonly throttle: ThrottleSettings;
  readonly clientIdleTimeout: Micros;
  readonly connectTimeout: Micros;
  /** Answered with 504 after this. */
  readonly integrationTimeout: Micros;
}

/** NLB: relays one flow to one target for its whole life. */
export interface L4BalancerHop extends ServerBase {
  readonly kind: 'l4-balancer';
  readonly implementation: 'builtin' | 'haproxy';
  readonly algorithm: BalancerAlgorithm;
  readonly idleTimeout: Micros;
  readonly healthCheck: HealthCheckSettings;
  readonly deregistrationDelay: Micros;
}

/** ALB: routes each request by itself. */
export interface L7BalancerHop extends ServerBase, RequestTimeouts {
  readonly kind: 'l7-balancer';
  readonly algorithm: BalancerAlgorithm;
  readonly pool: PoolSettings;
  readonly clientIdleTimeout: Micros;
  readonly connectTimeout: Micros;
  readonly responseTimeout: Micros;
  readonly healthCheck: HealthCheckSettings;
  readonly deregistrationDelay: Micros;
}

/** ConnCtrl: accepts every connection; `activeMax` of them may move bytes. */
export interface ConnectionQueueHop extends ServerBase {
  readonly kind: 'connection-queue';
  readonly implementation: 'builtin' | 'haproxy';
  readonly activeMax: number;
  /** Connections held beyond activeMax; further ones are closed with `overflow`. */
  readonly heldMax: number;
  /** A held connection is closed after this; 0 = never. */
  readonly heldTimeout: Micros;
  readonly order: 'fifo' | 'lifo';
  readonly reclaim: 'none' | 'idle-yield';
  /** N: silence after the last byte toward the client before a slot may be yielded. */
  readonly reclaimAfter: Micros;
  /** `unread`: a held socket is not touched (the incident). `watch`: read into a bounded buffer. */
  readonly whileHeld: 'unread' | 'watch';
}

export interface WebServerHop extends ServerBase, RequestTimeouts {
  readonly kind: 'web-server';
  readonly implementation: 'builtin' | 'nginx';
  readonly keepAliveTimeout: Micros;
  /** Requests on one connection before it is closed; 0 = without limit. */
  readonly keepAliveRequests: number;
  readonly keepAliveTime: Micros;
  readonly workerConnections: number;
  /**
   * Idle connections kept to the app (nginx `keepalive` in upstream); 0 = upstream keep-alive off.
   */
  readonly upstreamIdleMax: number;
  readonly upstreamIdleTimeout: Micros;
  readonly connectTimeout: Micros;
  readonly responseTimeout: Micros;
}

export interface AppHop extends ServerBase {
  readonly kind: 'app';
  /** `node`: node:http and mysql2. `builtin`: our own framing and client, cheaper. */
  readonly implementation: 'node' | 'builtin';
  readonly serviceTime: Distribution;
  /** Requests served at a time, the rest wait; 0 = without limit. */
  readonly concurrencyMax: number;
  /** Requests that may wait; further ones are answered with 503. */
  readonly waitingMax: number;
  /** Each piece of work takes 1 + this x (others being served) times as long. */
  readonly contention: number;
  readonly queriesPerRequest: number;
  /** Texts of its selects: each is prepared once on each connection on which it is used. */
  readonly statements: number;
  readonly keepAliveTimeout: Micros;
  readonly responseBytes: Bytes;
  /** The database pool, in Sequelize's words. */
  readonly pool: {
    readonly min: number;
    readonly max: number;
    readonly idle: Micros;
    readonly acquire: Micros;
    readonly evict: Micros;
  };
}

export interface DatabaseHop extends ServerBase {
  readonly kind: 'database';
  readonly implementation: 'embedded' | 'mariadb' | 'url';
  /** mysql://user:password@host:port/database, for implementation `url`. */
  readonly url: string | null;
  readonly connectionsMax: number;
  readonly serviceTime: Distribution;
  /** Queries served at a time (CPUs); the rest wait. */
  readonly concurrencyMax: number;
  /** Queries that may wait; further ones fail. */
  readonly waitingMax: number;
  /** Each query takes 1 + this x (others being served) times as long. */
  readonly contention: number;
  readonly preparedStatementsMax: number;
}

/** Something that happens at a given time after the start of the load. */
export type TimelineEntry = { readonly at: Micros; readonly text: string | null } & Action;

/** A change or a fault; the control channel of a live run takes the same ones. */
export type Action =
  /** Changes a setting that may change while running, by its path `<hop>.<setting>`. */
  | {
      readonly action: 'set';
      readonly path: string;
      /** In the units of the model: µs, per second, bytes. */
      readonly to: number | string | boolean | Distribution;
    }
  /** Service times of a database (or app) are multiplied by `factor` for `lasts`. */
  | {
      readonly action: 'slow';
      readonly hop: string;
      readonly factor: number;
      readonly lasts: Micros;
    }
  /** That share of the pieces of work that begin meanwhile takes `extra` longer. */
  | {
      readonly action: 'slow-requests';
      readonly hop: string;
      readonly share: number;
      readonly extra: Micros;
      readonly lasts: Micros;
    }
  /** Nothing is answered for `lasts`, then everything that waited is. */
  | { readonly action: 'stall'; readonly hop: string; readonly lasts: Micros }
  /** That many gateway nodes are replaced by new ones; their pools are lost. */
  | { readonly action: 'replace-nodes'; readonly hop: string; readonly count: number }
  /** A host stops accepting and resets what it has, for `lasts`. */
  | {
      readonly action: 'host-down';
      readonly hosts: string;
      readonly replica: number;
      readonly lasts: Micros;
    }
  /** A host leaves its balancers for `lasts`: no new flows, old ones end after the delay. */
  | {
      readonly action: 'deregister';
      readonly hosts: string;
      readonly replica: number;
      readonly lasts: Micros;
    }
  /** A hop's programs accept nothing for `lasts`: connections wait in their backlog. */
  | { readonly action: 'stop-accepting'; readonly hop: string; readonly lasts: Micros }
  /** A share of the open connections that a hop has accepted is reset. */
  | { readonly action: 'reset-connections'; readonly hop: string; readonly share: number }
  /** A share of a client group stops reading its sockets for `lasts`. */
  | {
      readonly action: 'stop-reading';
      readonly hop: string;
      readonly share: number;
      readonly lasts: Micros;
    }
  /** A real program that stands for a hop is killed (SIGKILL) and started again after `lasts`. */
  | { readonly action: 'kill'; readonly hop: string; readonly lasts: Micros }
  /** Only a mark on the time axis. */
  | { readonly action: 'mark' };

/** Actions that may happen at random. */
export type FaultKind = Exclude<Action['action'], 'set' | 'mark'>;

/** A fault that comes again and again; what its action does not have is null (texts: empty). */
export interface FaultProcess {
  readonly name: string;
  readonly action: FaultKind;
  /** From the beginning of one event to that of the next. */
  readonly every: Distribution;
  readonly hop: string;
  readonly hosts: string;
  readonly text: string | null;
  readonly lasts: Distribution | null;
  readonly extra: Distribution | null;
  /** In millionths. */
  readonly factor: Distribution | null;
  readonly share: Distribution | null;
  readonly count: Distribution | null;
}
