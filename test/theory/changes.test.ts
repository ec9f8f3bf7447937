/** What changes over time: rates and users in steps, and a stall, request by request. */
import { expect, it } from 'vitest';
import { closedThroughput } from './erlang.ts';
import { expectAgreement, live, replicate } from './simulated.ts';

it('even arrivals in steps and a stall: Lindley says when each is done, to the µs', () => {
  const yaml = `name: steps
duration: 300s
hops:
  - name: clients
    kind: clients
    count: 100
    pool: { connectionsMax: 0 }
    timeout: 0s
    workload:
      kind: open
      arrivals: constant
      rate:
        shape: steps
        steps: [{ at: 0s, value: 40/s }, { at: 100s, value: 90/s }, { at: 200s, value: 10/s }]
  - { name: app, kind: app, serviceTime: 10ms, concurrencyMax: 1 }
timeline:
  - { at: 120s, action: stall, hop: app, lasts: 10s }
`;
  const { requests } = live({ yaml, seed: 1 });
  // The last one is due as the load ends.
  expect(requests.length).toBe(14_000 - 1);
  let free = 0;
  let waited = 0;
  for (const { sentAt, doneAt } of requests.toSorted((a, b) => a.sentAt - b.sentAt)) {
    const due = Math.max(sentAt, free) + 10_000;
    free = due >= 120e6 && due < 130e6 ? 130e6 : due;
    expect(doneAt).toBe(free);
    waited = Math.max(waited, free - sentAt);
  }
  expect(waited).toBeGreaterThan(9.9e6);
});

it('users who wake in steps: mean value analysis before and after', () => {
  const yaml = `name: awake
duration: 440s
hops:
  - name: users
    kind: clients
    count: 40
    timeout: 0s
    workload:
      kind: closed
      startWithin: 1s
      thinkTime: exponential(500ms)
      awake: { shape: steps, steps: [{ at: 0s, value: 0.25 }, { at: 220s, value: 1 }] }
  - { name: app, kind: app, serviceTime: exponential(20ms), concurrencyMax: 1 }
`;
  const found = replicate((seed) => live({ yaml, seed }).requests.map(({ doneAt }) => doneAt));
  for (const [from, users] of [
    [20, 10],
    [240, 40],
  ] as const) {
    const within = (at: number): boolean => at >= from * 1e6 && at < (from + 200) * 1e6;
    expectAgreement(
      found.map((all) => all.filter(within).length / 200),
      closedThroughput(users, 0.5, [0.02]),
      `answers / s of ${users} users`,
    );
  }
});
