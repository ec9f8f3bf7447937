/** What lives on a host: the connection queue, the web server, the app; and the database. */

import type {
  AppHop,
  ConnectionQueueHop,
  DatabaseHop,
  WebServerHop,
} from '../../model/topology.ts';
import {
  choice,
  distribution,
  duration,
  integer,
  number,
  optionalText,
  type SettingsFor,
  size,
} from '../setting.ts';
import { MACHINE_SETTINGS } from './network.ts';
import { CONNECTIONS_MAX, OWN_CHOICE, REQUESTS_MAX, requestTimeouts } from './pool.ts';

type Base = 'name' | 'kind' | 'upstream' | 'listen';

const INCIDENT = 'the incident: ConnCtrl, the L4 connection queue';

export const CONNECTION_QUEUE_SETTINGS = {
  implementation: choice({
    choices: ['builtin', 'haproxy'],
    default: 'builtin',
    description:
      'builtin: the queue in this program. haproxy: the real one in mode tcp, run by us, with ' +
      'maxconn as activeMax; it cannot reclaim, and reads what held clients send into a buffer.',
    source: OWN_CHOICE,
  }),
  activeMax: integer({
    min: 1,
    max: CONNECTIONS_MAX,
    default: 15,
    description: 'Connections that may move bytes at a time (slots).',
    source: `${INCIDENT}, 15 active`,
  }),
  heldMax: integer({
    min: 0,
    max: CONNECTIONS_MAX,
    default: 16_384,
    description: 'Connections held beyond activeMax; further ones are closed.',
    source: 'assumption: bounded by memory and descriptors; the incident had no known limit',
  }),
  heldTimeout: duration({
    default: 0,
    description: 'A held connection is closed after this. 0 = never.',
    source: `${INCIDENT} held connections for as long as it took`,
  }),
  order: choice({
    choices: ['fifo', 'lifo'],
    default: 'fifo',
    description: 'Which held connection gets a free slot: the first or the last that came.',
    source: INCIDENT,
  }),
  reclaim: choice({
    choices: ['none', 'idle-yield'],
    default: 'none',
    description:
      'none: a slot is kept until its connection closes. idle-yield: an idle connection gives ' +
      'its slot to one that waits, stays open, and queues again with its next bytes.',
    source: `${INCIDENT} never took a slot back`,
  }),
  reclaimAfter: duration({
    default: '5ms',
    description:
      'Silence after the last byte toward the client before a slot may be taken back. Arrivals ' +
      'x (service time + this) must stay below the slots.',
    source: 'measured: 1-5 ms served everybody, 50 ms no longer did',
  }),
  whileHeld: choice({
    choices: ['unread', 'watch'],
    default: 'watch',
    description:
      'watch: a held connection is read into a small bounded buffer, so that a client that ' +
      'leaves is forgotten. unread: its socket is not touched; one that left takes a slot later.',
    source: `own choice; unread as ${INCIDENT}`,
  }),
  ...MACHINE_SETTINGS,
} satisfies SettingsFor<Omit<ConnectionQueueHop, Base>>;

const NGINX = 'nginx documentation';

export const WEB_SERVER_SETTINGS = {
  implementation: choice({
    choices: ['builtin', 'nginx'],
    default: 'builtin',
    description: 'builtin: nginx semantics in this program. nginx: the real one, run by us.',
    source: OWN_CHOICE,
  }),
  keepAliveTimeout: duration({
    default: '75s',
    description: 'An idle client connection is closed after this. 0 = after each response.',
    source: `${NGINX}: keepalive_timeout 75s`,
  }),
  keepAliveRequests: integer({
    min: 0,
    max: REQUESTS_MAX,
    default: 1_000,
    description: 'Requests on one connection before it is closed. 0 = without limit.',
    source: `${NGINX}: keepalive_requests 1000 since 1.19.10, 100 before`,
  }),
  keepAliveTime: duration({
    default: '1h',
    description: 'A connection is closed after a response once it is this old. 0 = never.',
    source: `${NGINX}: keepalive_time 1h (since 1.19.10)`,
  }),
  ...requestTimeouts(`${NGINX}: client_header_timeout 60s, client_body_timeout 60s`),
  workerConnections: integer({
    min: 1,
    max: CONNECTIONS_MAX,
    default: 512,
    description: 'Connections, client and upstream, of one worker.',
    source: `${NGINX}: worker_connections 512`,
  }),
  upstreamIdleMax: integer({
    min: 0,
    max: CONNECTIONS_MAX,
    default: 0,
    description: 'Idle connections kept to the app. 0 = a connection per request.',
    source: `${NGINX}: upstream keepalive is off before 1.29.7, 32 since`,
  }),
  upstreamIdleTimeout: duration({
    default: '60s',
    description: 'An idle connection to the app is closed after this. 0 = never.',
    source: `${NGINX}: upstream keepalive_timeout 60s`,
  }),
  connectTimeout: duration({
    min: 1_000,
    default: '60s',
    description: 'A connect to the app is given up after this.',
    source: `${NGINX}: proxy_connect_timeout 60s`,
  }),
  responseTimeout: duration({
    default: '60s',
    description: 'The app must answer within this; else 504. 0 = never.',
    source: `${NGINX}: proxy_read_timeout 60s`,
  }),
  ...MACHINE_SETTINGS,
} satisfies SettingsFor<Omit<WebServerHop, Base>>;

/** How work waits, and how it slows down when much is served at a time. */
function stationSettings(pieces: string, refused: string) {
  return {
    waitingMax: integer({
      min: 0,
      max: 100_000,
      default: 100_000,
      description: `${pieces} that may wait to be served; further ones are ${refused}.`,
      source: OWN_CHOICE,
    }),
    contention: number({
      min: 0,
      max: 1_000,
      default: 0,
      description:
        'CPU model: work that begins while n others are served takes 1 + this x n times as long. ' +
        '0 = what is served at a time does not slow each other down.',
      source: `${OWN_CHOICE}; the contention term of Gunther's Universal Scalability Law`,
    }),
  };
}

const SEQUELIZE = 'Sequelize documentation, connection pool';

export const APP_SETTINGS = {
  implementation: choice({
    choices: ['node', 'builtin'],
    default: 'node',
    description:
      'node: node:http and mysql2, as Node apps have them. builtin: our own HTTP framing and ' +
      'MySQL client, at a third of the CPU.',
    source: OWN_CHOICE,
  }),
  serviceTime: distribution({
    default: '10ms',
    description: 'Time the app works on a request, without its database queries.',
    source: 'assumption: the incident names no service time',
  }),
  concurrencyMax: integer({
    min: 0,
    max: CONNECTIONS_MAX,
    default: 0,
    description: 'Requests served at a time; the rest wait. 0 = without limit.',
    source: 'Node: an HTTP server does not limit concurrency',
  }),
  ...stationSettings('Requests', 'answered with 503'),
  queriesPerRequest: integer({
    min: 0,
    max: 1_000,
    default: null,
    derived: '1 with a database upstream, else 0',
    description: 'Database queries that a request makes, one after another.',
    source: OWN_CHOICE,
  }),
  statements: integer({
    min: 1,
    // As many as mysql2 keeps prepared on a connection (maxPreparedStatements).
    max: 16_000,
    default: 1,
    description:
      'Texts of its selects, drawn evenly; each is prepared once on each database connection.',
    source: OWN_CHOICE,
  }),
  keepAliveTimeout: duration({
    default: '5s',
    description: 'An idle connection is closed after this. 0 = never.',
    source: 'Node documentation: server.keepAliveTimeout 5 s through v25, 65 s from v26',
  }),
  responseBytes: size({
    default: '512B',
    max: 16_777_216,
    description: 'Size of the body of a response.',
    source: OWN_CHOICE,
  }),
  pool: {
    min: integer({
      min: 0,
      max: CONNECTIONS_MAX,
      default: 0,
      description: 'Database connections that are kept even when idle.',
      source: `${SEQUELIZE}: min 0`,
    }),
    max: integer({
      min: 1,
      max: CONNECTIONS_MAX,
      default: 5,
      description: 'Database connections of one app.',
      source: `${SEQUELIZE}: max 5`,
    }),
    idle: duration({
      default: '10s',
      description: 'A connection may be evicted once it was idle for this.',
      source: `${SEQUELIZE}: idle 10 s`,
    }),
    acquire: duration({
      default: '60s',
      description: 'A request that waits this long for a connection fails. 0 = never.',
      source: `${SEQUELIZE}: acquire 60 s`,
    }),
    evict: duration({
      default: '1s',
      description: 'Time between two looks for idle connections.',
      source: `${SEQUELIZE}: evict 1 s`,
    }),
  },
  ...MACHINE_SETTINGS,
} satisfies SettingsFor<Omit<AppHop, Base>>;

const MYSQL = 'MySQL reference manual';

export const DATABASE_SETTINGS = {
  implementation: choice({
    choices: ['embedded', 'mariadb', 'url'],
    default: 'embedded',
    description:
      'embedded: speaks the MySQL protocol in this program. mariadb: the real one, run by us. ' +
      'url: one that runs elsewhere.',
    source: OWN_CHOICE,
  }),
  url: optionalText({
    default: null,
    pattern: /^mysql:\/\/[^\s]+$/,
    hint: 'write mysql://user:password@host:port/database',
    lengthMax: 1_000,
    description: 'Where the database is, for implementation url.',
    source: OWN_CHOICE,
  }),
  connectionsMax: integer({
    min: 1,
    max: 100_000,
    default: 151,
    follows: 'load',
    description: 'Connections beyond this are refused with "Too many connections".',
    source: `${MYSQL}: max_connections 151 (RDS: memory / 12582880)`,
  }),
  serviceTime: distribution({
    default: '1ms',
    description: 'Time a query takes once it is served.',
    source: 'assumption: the incident names no query time',
  }),
  concurrencyMax: integer({
    min: 1,
    max: 100_000,
    default: 4,
    follows: 'load',
    description: 'Queries served at a time (CPUs); the rest wait.',
    source: 'assumption: a database of 4 CPUs',
  }),
  ...stationSettings('Queries', 'failed'),
  preparedStatementsMax: integer({
    min: 0,
    max: 4_194_304,
    default: 16_382,
    follows: 'load',
    description: 'Prepared statements over all connections; further ones fail.',
    source: `${MYSQL}: max_prepared_stmt_count 16382`,
  }),
  ...MACHINE_SETTINGS,
} satisfies SettingsFor<Omit<DatabaseHop, Base>>;
