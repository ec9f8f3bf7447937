/**
 * One hop of ours alone, in a process of its own of a `waterhammer run --no-load` with its
 * default recording, before an app in another process; and relays asked by wrk in turns.
 */
import { median, spread } from './bench.mjs';
import { LiveRun } from './live-run.mjs';
import { wrk } from './peers.mjs';

const clients = { name: 'clients', kind: 'clients', workload: { kind: 'closed', thinkTime: '1s' } };
const app = {
  name: 'app',
  kind: 'app',
  implementation: 'builtin',
  serviceTime: '0s',
  responseBytes: '64B',
};

/** Node compiles what is hot first. */
const WARM_UP_SECONDS = 4;

/** Clients are external; the hops are those between them and the app (or none). */
export async function hopAlone(name, hops, { behind = {}, more = [] } = {}) {
  const chain = [...hops, { ...app, keepAliveTimeout: '0s', ...behind }, ...more];
  const own = chain.filter((hop) => hop.implementation !== 'mariadb');
  const processes = own.map((hop) => ({ name: hop.name, hops: [hop.name] }));
  const document = { name, duration: '2h', hops: [clients, ...chain], processes };
  const run = new LiveRun(document, ['--no-load']);
  const { plan, endpoints } = await run.begun({ load: true });
  const link = plan.links.find(({ downstream }) => downstream === 'clients');
  const { port } = endpoints.find((one) => one.link === link.index);
  const pids = new Map([...run.processes()].map(([title, pid]) => [title.split(' ')[0], pid]));
  const stop = async () => {
    run.interrupt();
    const { balanced } = await run.summary();
    run.forget();
    return balanced;
  };
  const portOf = (hop) => {
    const incoming = plan.links.find(({ upstream }) => upstream === hop);
    return endpoints.find((one) => one.link === incoming?.index)?.port;
  };
  return { pid: pids.get(link.upstream), pids, port, portOf, stop };
}

/** Each front asked by wrk, round by round in turns, after a warm-up: name -> results. */
export async function inTurns(fronts, { title, rounds, seconds, close = false, connections = 64 }) {
  const found = new Map([...fronts.keys()].map((name) => [name, []]));
  for (let round = -1; round < rounds; round++) {
    for (const [name, { port, pid }] of fronts) {
      const lasts = round < 0 ? WARM_UP_SECONDS : seconds;
      const one = await wrk({ port, close, connections, seconds: lasts, under: pid });
      if (round >= 0) found.get(name).push(one);
      const { cpuMicros, perSecond, errors } = one;
      process.stderr.write(
        `${title}, ${name}, ${round < 0 ? 'warm-up' : `round ${round + 1}`}: ` +
          `${cpuMicros.toFixed(1)} us, ${perSecond.toFixed(0)}/s, ${errors} errors\n`,
      );
    }
  }
  return found;
}

export const RELAY_HEAD = [
  'load',
  'relay',
  'CPU per request, us',
  'ratio',
  'requests/s',
  'p99 ms',
  'ratio of p99',
  'errors',
];

/** A row per relay; ratios to `peer`, median of the rounds. */
export function relayRows(title, found, peer) {
  const peers = found.get(peer);
  const ratio = (all, pick) => median(all.map((one, i) => pick(one) / pick(peers[i]))).toFixed(2);
  return [...found].map(([name, all]) => [
    title,
    name,
    spread(all.map((one) => one.cpuMicros)),
    ratio(all, (one) => one.cpuMicros),
    spread(
      all.map((one) => one.perSecond),
      0,
    ),
    spread(all.map((one) => one.p99)),
    ratio(all, (one) => one.p99),
    String(all.reduce((sum, one) => sum + one.errors, 0)),
  ]);
}
