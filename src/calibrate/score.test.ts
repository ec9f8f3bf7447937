import { expect, it } from 'vitest';
import { judge } from './score.ts';
import type { Target } from './targets.ts';
import type { WindowValues } from './window-values.ts';

function target(more: Partial<Target>): Target {
  return {
    name: 'a target',
    window: 'calm',
    measures: ['nlb.NewFlowCount'],
    statistic: 'mean',
    bound: null,
    over: null,
    factor: null,
    low: 10,
    high: 20,
    weight: 1,
    use: 'fit',
    minutes: null,
    note: null,
    ...more,
  };
}

function shown(windows: Readonly<Record<string, WindowValues>>) {
  return new Map(Object.entries(windows));
}

it('is met within the range, and off by the ratio to its nearer end', () => {
  const judged = (mean: number) =>
    judge([target({})], shown({ calm: { 'nlb.NewFlowCount': [mean] } })).judged[0];
  expect(judged(10)).toMatchObject({ met: true, error: 0 });
  expect(judged(40)?.error).toBeCloseTo(Math.log(2), 12);
  expect(judged(5)?.error).toBeCloseTo(-Math.log(2), 12);
  expect(judged(5)?.met).toBe(false);
});

it('reads each statistic of the minutes, without those that are not known', () => {
  const values = { calm: { 'nlb.NewFlowCount': [4, null, 10, 16, 30] } };
  const read = (more: Partial<Target>) => judge([target(more)], shown(values)).judged[0]?.simulated;
  expect(read({ statistic: 'mean' })).toBe(15);
  expect(read({ statistic: 'min' })).toBe(4);
  expect(read({ statistic: 'max' })).toBe(30);
  expect(read({ statistic: 'minutesAbove', bound: 9 })).toBe(3);
  expect(read({ statistic: 'minutesBelow', bound: 9 })).toBe(1);
});

it('divides by another window, and adds measures up minute by minute', () => {
  const values = shown({
    calm: { a: [1, 3], b: [2, 2] },
    spike: { a: [10, 30], b: [10, 2] },
  });
  const one = target({ window: 'spike', measures: ['a', 'b'], statistic: 'max', over: 'calm' });
  expect(judge([one], values).judged[0]?.simulated).toBe(8);
});

it('chooses one factor for all targets that name it: a level shifts, a change stays', () => {
  const levels = (trough: number) =>
    judge(
      [
        target({ factor: 'sumFactor', low: 200, high: 260 }),
        target({ factor: 'sumFactor', low: 120, high: 140, window: 'trough' }),
      ],
      shown({ calm: { 'nlb.NewFlowCount': [50] }, trough: { 'nlb.NewFlowCount': [trough] } }),
    );
  expect(levels(30).met).toBe(true);
  expect(levels(30).factors.sumFactor).toBeGreaterThan(4);
  expect(levels(30).factors.sumFactor).toBeLessThanOrEqual(140 / 30);
  expect(levels(50).met).toBe(false);
});

it('never chooses a factor, or a score, by what is to be predicted', () => {
  const fitted = target({ factor: 'sumFactor', low: 100, high: 100 });
  const predicted = target({ factor: 'sumFactor', low: 1, high: 2, use: 'predict' });
  const values = shown({ calm: { 'nlb.NewFlowCount': [50] } });
  const both = judge([fitted, predicted], values);
  expect(both.factors).toEqual(judge([fitted], values).factors);
  expect(both.score).toBe(judge([fitted], values).score);
  expect(both.met).toBe(true);
  expect(both.judged[1]?.met).toBe(false);
});

it('says unknown of a measure that the run does not have, which is not met', () => {
  const { judged, met } = judge([target({})], shown({ calm: {} }));
  expect(judged[0]).toMatchObject({ simulated: null, met: false });
  expect(met).toBe(false);
});

it('wants 0 where 0 is wanted', () => {
  const none = target({ low: 0, high: 0 });
  const failures = (count: number) =>
    judge([none], shown({ calm: { 'nlb.NewFlowCount': [count] } })).judged[0];
  expect(failures(0)?.met).toBe(true);
  expect(failures(3)?.error).toBeGreaterThan(1);
});

it('looks at some minutes of a window, where a target says so', () => {
  const windows = shown({ calm: { 'nlb.NewFlowCount': [1, 15, 17, 100] } });
  const judged = judge([target({ minutes: [2, 3] })], windows).judged[0];
  expect(judged).toMatchObject({ simulated: 16, met: true });
});
