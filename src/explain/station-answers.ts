/** An app or a database: how busy it is, and how much it can do. */
import { erlangC } from '../theory/erlang.ts';
import type { Answer, Known, Quantity } from './answer.ts';
import { unknown } from './answer.ts';
import type { Load } from './load.ts';
import { capacityOf, type Station, waitAt } from './stations.ts';

export function stationAnswers(load: Load, one: Station, obstacle: string | null): Answer[] {
  const { hop, servers, replicas, visits, service, variation } = one;
  const at = hop.name;
  const answer = (quantity: Quantity, known: Known): Answer => ({ at, quantity, ...known });
  if (servers === Number.POSITIVE_INFINITY) return [];
  const capacity = answer('capacityPerSecond', {
    value: service === 0 ? null : capacityOf(one),
    standing: service === 0 ? 'unknown' : 'exact',
    formula: 'replicas x servers / (visits x service)',
    source: 'asymptotic bound (Kleinrock, Queueing Systems II, 1976, 4.11)',
    inputs: { replicas, servers, visits, service },
    remark: service === 0 ? 'its work takes no time' : 'requests / s beyond which work piles up',
  });
  if (obstacle !== null) return [capacity, answer('utilisation', unknown(obstacle))];
  const work = (load.rates.get(hop.name) ?? 0) / replicas;
  const offered = work * service;
  const inputs = { perReplica: work, service, servers, offered };
  const markov = Math.abs(variation - 1) < 1e-9;
  const requests = (load.rates.get(hop.name) ?? 0) / visits;
  return [
    answer('utilisation', {
      ...{ value: offered / servers, standing: load.closed.standing, inputs },
      formula: 'work / s x service / servers',
      source: "utilisation law (Little's law of the servers)",
      remark: load.closed.remark,
    }),
    answer('waitProbability', {
      value: erlangC(servers, offered),
      standing: 'approximation',
      formula: 'Erlang C(servers, offered load)',
      source: 'Erlang (1917); Cooper, Introduction to Queueing Theory (1981), 3.4',
      inputs,
      remark: `arrivals are taken for Poisson${markov ? '' : ', service times for exponential'}`,
    }),
    answer('meanWaitSeconds', {
      value: waitAt(one, requests),
      standing: 'approximation',
      formula: '(1 + variation) / 2 x C x service / (servers - offered)',
      source: 'Pollaczek-Khinchine (one server), Lee and Longton (1959)',
      inputs: { ...inputs, variation },
      remark: 'arrivals are taken for Poisson',
    }),
    capacity,
  ];
}
