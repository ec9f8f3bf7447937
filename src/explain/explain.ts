/**
 * Everything that closed forms say of a topology: for each group of clients, station, link and
 * queue. Answers that nobody has are there as well, with the reason.
 */
import type { ConnectionQueueHop, Hop, Topology } from '../model/topology.ts';
import type { Answer, Known, Quantity } from './answer.ts';
import { groupAnswers } from './group-answers.ts';
import { type Load, loadOf } from './load.ts';
import { allUnknown, connectionsOf } from './pool.ts';
import { poolCaseOf } from './pool-case.ts';
import { shortAtTimes, shortageOf } from './shortages.ts';
import { queueCaseOf, slotAnswers } from './slots.ts';
import { stationAnswers } from './station-answers.ts';
import { stuckState } from './stuck.ts';

export function explain(topology: Topology): Answer[] {
  const load = loadOf(topology);
  const obstacle = load.obstacle ?? shortageOf(load);
  const stations = [...load.stations.values()].flat();
  const leftOut = obstacle === null ? shortAtTimes(load) : null;
  const answers = [
    ...load.groups.flatMap((group) => groupAnswers(load, group, obstacle)),
    ...stations.flatMap((one) => stationAnswers(load, one, obstacle)),
    ...topology.hops.flatMap((hop) => linkAnswers(load, hop, obstacle)),
  ];
  return [
    ...(leftOut === null ? answers : answers.map((one) => roughly(one, leftOut))),
    ...topology.hops
      .filter((hop): hop is ConnectionQueueHop => hop.kind === 'connection-queue')
      .flatMap((hop) => queueAnswers(topology, load, hop)),
  ];
}

/** What is no longer exact where something is left out. */
function roughly(answer: Answer, remark: string): Answer {
  const { quantity, source, standing, value } = answer;
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

function queueAnswers(topology: Topology, load: Load, hop: ConnectionQueueHop): Answer[] {
  const queue = queueCaseOf(load, hop);
  if (load.obstacle === null) {
    return [
      ...slotAnswers(topology, queue),
      { at: hop.name, quantity: 'stuckStateExists', ...stuckState(queue) },
    ];
  }
  return slotAnswers(topology, queue).filter(({ quantity }) => quantity === 'slots');
}
