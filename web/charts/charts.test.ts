import { describe, expect, it } from 'vitest';
import type { SecondRow } from '../../src/measure/rows.ts';
import { SeriesTeller, testStory } from '../data/test-story.ts';
import { csvOf } from './chart.ts';
import { CloudWatchCharts } from './cloudwatch.ts';
import { definitionsOf } from './definitions.ts';
import { dataOf } from './windows.ts';

/** Second n has n requests on each host (times one more than its number), and 2 new flows. */
function secondsOf(from: number, to: number, hosts: number): SecondRow[] {
  return Array.from({ length: to - from }, (_, at) => from + at).flatMap((second) => [
    { second, scope: 'link:apigw->nlb', measure: 'opened', value: 2 },
    { second, scope: 'link:apigw->nlb', measure: 'open', value: second < 60 ? 30 : 300 },
    { second, scope: 'link:apigw->nlb', measure: 'exchanges', value: 150 },
    ...Array.from({ length: hosts }, (_, host) => ({
      ...{ second, scope: `host:ec2#${host}`, measure: 'requests', value: second * (host + 1) },
    })),
  ]);
}

const chart = (charts: ReturnType<CloudWatchCharts['charts']>, id: string) => {
  const found = charts.find((one) => one.id === id);
  if (found === undefined) throw new Error(`no chart ${id}`);
  return found;
};

describe('charts of CloudWatch', () => {
  it('grow by points that are whole, to what they are when made at once', () => {
    const story = testStory({ seconds: 180 });
    const teller = new SeriesTeller(story);
    const growing = new CloudWatchCharts(story, 60);
    for (let second = 0; second < 150; second += 7) {
      teller.tell(secondsOf(second, Math.min(second + 7, 150), 2));
      growing.charts();
    }
    const atOnce = new CloudWatchCharts(story, 60).charts();
    expect(growing.charts()).toEqual(atOnce);
    const flows = chart(atOnce, 'ActiveFlowCount');
    expect(flows.data).toEqual([
      [0, 60],
      [30, 300],
    ]);
    expect(chart(atOnce, 'RequestsPerNewFlow').data[1]).toEqual([75, 75]);
    expect(chart(atOnce, 'NewFlowCount').unit).toBe('sum');
  });

  it('show of many hosts the most, the middle and the least', () => {
    const story = testStory({ seconds: 2, hosts: 9 });
    new SeriesTeller(story).tell(secondsOf(0, 2, 9));
    const hosts = chart(new CloudWatchCharts(story, 1).charts(), 'RequestCountPerTarget');
    expect(hosts.lines).toEqual(['most of 9', 'median', 'least']);
    expect(hosts.data.slice(1).map((values) => values[1])).toEqual([9, 5, 1]);
  });

  it('leave out what the run does not tell', () => {
    const story = testStory({ seconds: 2 });
    new SeriesTeller(story).tell(secondsOf(0, 2, 2));
    const ids = new CloudWatchCharts(story, 1).charts().map(({ id }) => id);
    expect(ids).toContain('ActiveFlowCount');
    expect(ids).not.toContain('CPUUtilization');
  });
});

describe('other charts', () => {
  it('divide sums by sums, have no half window, and say nothing of what is unknown', () => {
    const story = testStory({ seconds: 100 });
    new SeriesTeller(story).tell(
      Array.from({ length: 100 }, (_, second) => [
        { second, scope: 'clients:clients', measure: 'attempts', value: 3 },
        { second, scope: 'clients:clients', measure: 'ok', value: second < 50 ? 1 : 0 },
      ]).flat(),
    );
    const attempts = definitionsOf(story).find(({ id }) => id === 'attempts');
    if (attempts === undefined) throw new Error('no chart of attempts');
    const seconds = dataOf(attempts.lines, story.series, 1, 100);
    expect(seconds[1]?.slice(48, 52)).toEqual([3, 3, null, null]);
    const minutes = dataOf(attempts.lines, story.series, 60, 100);
    expect(minutes).toEqual([[0], [180 / 50]]);
    const file = csvOf({
      ...attempts,
      lines: ['a "b"'],
      data: [
        [0, 1],
        [2, null],
      ],
    });
    expect(file).toBe('"second","a ""b"""\n0,2\n1,\n');
  });
});
