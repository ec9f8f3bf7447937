import { expect, it } from 'vitest';
import { makePlan } from '../model/plan.ts';
import type { EdgeHop } from '../model/topology.ts';
import { type Chart, chartsOf } from './charts.ts';
import type { SecondRow } from './rows.ts';
import { testTopology } from './test-topology.ts';

const base = testTopology({ hosts: 2 });
const [clients, ...others] = base.hops;
if (clients === undefined) throw new Error('the test chain begins with clients');
const edge = { name: 'cdn', kind: 'edge', upstream: 'apigw' } as EdgeHop;
const topology = { ...base, hops: [{ ...clients, upstream: 'cdn' }, edge, ...others] };
const plan = makePlan(base, { externalClients: false });

/** `seconds` seconds of the same values. */
function series(seconds: number, values: Readonly<Record<string, number | null>>): SecondRow[] {
  return Array.from({ length: seconds }, (_, second) =>
    Object.entries(values).map(([name, value]) => {
      const [scope = '', measure = ''] = name.split(' ');
      return { second, scope, measure, value };
    }),
  ).flat();
}

function chart(charts: readonly Chart[], of: string, metric: string): readonly (number | null)[] {
  const found = charts.find((one) => one.of === of && one.metric === metric);
  if (found === undefined) throw new Error(`no chart ${metric} of ${of}`);
  return found.values;
}

it('counts flows begun, averages flows open, and divides requests by flows begun', () => {
  const rows = series(120, {
    'link:apigw->nlb opened': 2,
    'link:apigw->nlb open': 300,
    'link:apigw->nlb exchanges': 150,
  });
  const charts = chartsOf({ topology, plan }, rows);
  expect(chart(charts, 'nlb', 'NewFlowCount')).toEqual([120, 120]);
  expect(chart(charts, 'nlb', 'ActiveFlowCount')).toEqual([300, 300]);
  expect(chart(charts, 'nlb', 'RequestsPerNewFlow')).toEqual([75, 75]);
});

it('counts an answer that was not taken for final at the edge too', () => {
  const rows = series(60, {
    'clients:clients answered': 4,
    'clients:clients retries': 1,
    'clients:clients serverErrors5xx': 1,
  });
  const charts = chartsOf({ topology, plan }, rows);
  expect(chart(charts, 'cdn', 'Requests')).toEqual([300]);
  expect(chart(charts, 'cdn', '5xxErrorRate')).toEqual([25]);
});

it('has no point for a minute that is not over, and none before the load', () => {
  const rows = [
    { second: -1, scope: 'host:ec2#1', measure: 'requests', value: 100 },
    ...series(90, { 'host:ec2#1 requests': 3 }),
  ];
  expect(chart(chartsOf({ topology, plan }, rows), 'ec2#1', 'RequestCountPerTarget')).toEqual([
    180,
  ]);
  const fives = chartsOf({ topology, plan }, rows, { secondsPerPoint: 5 });
  expect(chart(fives, 'ec2#1', 'RequestCountPerTarget')).toEqual(Array(18).fill(15));
});

it('takes rows of a minute as well as rows of a second', () => {
  const rows = [0, 60].map((second) => ({
    second,
    scope: 'link:apigw->nlb',
    measure: 'opened',
    value: 40,
  }));
  const charts = chartsOf({ topology, plan, secondsPerRow: 60 }, rows);
  expect(chart(charts, 'nlb', 'NewFlowCount')).toEqual([40, 40]);
});

it('says null, not 0, of what the run does not tell', () => {
  const rows = series(60, { 'link:apigw->nlb opened': 0, 'link:apigw->nlb exchanges': 7 });
  const charts = chartsOf({ topology, plan }, rows);
  expect(chart(charts, 'nlb', 'RequestsPerNewFlow')).toEqual([null]);
  expect(chart(charts, 'db', 'DBLoad')).toEqual([null]);
  expect(chart(charts, 'cdn', '5xxErrorRate')).toEqual([null]);
});
