/**
 * Everything that closed forms say of a topology: for each group of clients, station, link and
 * queue. Answers that nobody has are there as well, with the reason.
 */
import type { ConnectionQueueHop, Hop, Topology } from '../model/topology.ts';
import { type Answer, estimated, type Known, type Quantity, unknown } from './answer.ts';
import { groupAnswers, whyOff } from './group-answers.ts';
import { type Load, loadOf } from './load.ts';
import { allUnknown, connectionsOf } from './pool.ts';
import { poolCaseOf } from './pool-case.ts';
import { shortAtTimes, shortageOf } from './shortages.ts';
import { queueCaseOf, slotAnswers } from './slots.ts';
import { stationAnswers } from './station-answers.ts';
import { stuckState } from './stuck.ts';

export function explain(topology: Topology): Answer[] {
  const load = loadOf(topology);
  const leaving = load.groups.find(({ left }) => left !== null);
  const obstacle = load.obstacle ?? (leaving ? null : shortageOf(load));
  const stations = [...load.stations.values()].flat();
  const leftOut = obstacle === null && !leaving ? shortAtTimes(load) : null;
  const answers = [
    ...load.groups.flatMap((group) => groupAnswers(load, group, obstacle)),
    ...stations.flatMap((one) =>
      stationAnswers(load, one, leaving?.left?.queue ? LEAVING : obstacle),
    ),
    ...topology.hops.flatMap((hop) => linkAnswers(load, hop, leaving ? LEAVING : obstacle)),
  ];
  return [
    ...(leftOut === null ? answers : answers.map((one) => roughly(one, leftOut))),
    ...topology.hops
      .filter((hop): hop is ConnectionQueueHop => hop.kind === 'connection-queue')
      .flatMap((hop) => queueAnswers(topology, load, hop)),
  ];
}

/** What is no longer exact where something is left out, or is at least as much. */
function roughly(answer: Answer, remark: string): Answer {
  const { quantity, source, standing, value } = answer;
  if (value !== null && (quantity === 'secondsToAnswer' || quantity === 'requestsInFlight')) {
    if (standing !== 'exact') return { ...answer, ...unknown(remark) };
    return { ...answer, standing: 'bound', remark };
  }
  const stays = source === 'given' || quantity === 'capacityPerSecond' || value === 0;
  return stays || standing !== 'exact' ? answer : { ...answer, standing: 'approximation', remark };
}

function linkAnswers(load: Load, hop: Hop, obstacle: string | null): Answer[] {
  const pool = poolCaseOf(load, hop);
  if (pool === null) return [];
  const gate = load.chain.relays(hop).findIndex(({ kind }) => kind === 'connection-queue');
  return pool.links.flatMap((at, index) => {
    // What waits for a slot has no connection beyond the queue yet.
    const waited = gate !== -1 && index > gate ? pool.slotWait : 0;
    const { opened, requests, open } =
      obstacle === null
        ? connectionsOf({ ...pool, busy: pool.busy - waited })
        : allUnknown(obstacle);
    const answer = (quantity: Quantity, known: Known): Answer => ({ at, quantity, ...known });
    return [
      answer('openConnections', open),
      answer('newConnectionsPerSecond', opened),
      answer('requestsPerNewConnection', requests),
      answer('connectionLifeSeconds', lifeOf(opened, open)),
    ];
  });
}

function lifeOf(opened: Known, open: Known): Known {
  if (opened.value === 0) return { ...open, ...ENDLESS };
  if (opened.value === null || open.value === null) return open.value === null ? open : opened;
  return {
    ...open,
    value: open.value / opened.value,
    formula: 'open connections / new connections per second',
    source: "Little's law (1961)",
    inputs: { open: open.value, opened: opened.value },
  };
}

const ENDLESS = {
  value: null,
  standing: 'unknown',
  remark: 'no connection is ever closed',
} as const;

const LEAVING = 'who loses patience closes a connection, which the formulas leave out';

/** Where requests wait for a slot of their own. */
function slotWaitAnswers(load: Load, { name, activeMax }: ConnectionQueueHop): Answer[] {
  const left = load.groups.find((one) => one.left?.queue?.at === name)?.left;
  const of = { at: name, quantity: 'meanWaitSeconds', inputs: { slots: activeMax } } as const;
  if (left?.queue != null) {
    const { formula, source } = WAIT_OF_IMPATIENT;
    const known = { standing: 'exact', remark: 'of all, also of those who leave' } as const;
    return [{ ...of, ...known, formula, source, value: left.queue.wait }];
  }
  const group = load.groups.find((one) => one.narrow?.pool.hop.name === name);
  if (group?.narrow == null) return [];
  const { pool, seconds, off } = group.narrow;
  const stages = pool.arrivals.stages === 1 ? {} : { stages: pool.arrivals.stages };
  const inputs = { ...of.inputs, ...stages, rate: group.rate };
  const known = {
    ...WAIT_FOR_SLOT,
    inputs,
    value: seconds,
    standing: 'exact',
    remark: null,
  } as const;
  return [{ ...of, ...estimated(known, off, whyOff(load, group)) }];
}

const WAIT_FOR_SLOT = {
  formula: 'as at a station with so many servers, each taken while a request is on its connection',
  source: 'Erlang (1917), Pollaczek-Khinchine (1932); even arrivals Takacs (1962)',
} as const;
const WAIT_OF_IMPATIENT = {
  formula: 'waiting / arrivals, by the birth-death process of Erlang A',
  source: "Palm (1957); Little's law (1961)",
} as const;

function queueAnswers(topology: Topology, load: Load, hop: ConnectionQueueHop): Answer[] {
  const queue = queueCaseOf(load, hop);
  if (load.groups.some(({ left }) => left?.queue?.at === hop.name)) {
    const there = slotAnswers(topology, queue).filter(({ quantity }) => quantity === 'slots');
    return [...there, ...slotWaitAnswers(load, hop)];
  }
  if (load.obstacle === null) {
    return [
      ...slotAnswers(topology, queue),
      ...slotWaitAnswers(load, hop),
      { at: hop.name, quantity: 'stuckStateExists', ...stuckState(queue) },
    ];
  }
  return slotAnswers(topology, queue).filter(({ quantity }) => quantity === 'slots');
}
