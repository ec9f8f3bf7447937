/**
 * The books: a run balances, and no single event can be taken out of it unnoticed. A second
 * pass renumbers what is left, so that only the meaning of the events can tell: kinds that slip
 * through there are listed, because for them the numbering is the only guard.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { closeCauseCode } from '../model/close-cause.ts';
import { EVENT_KIND_NAMES, EventKind, exchangeFailureCode, SlotState } from '../model/event.ts';
import type { EventRecord } from '../stream/event-list.ts';
import { busyRun } from './test-scenario.ts';
import { counts, measure, numbered, ORIGIN } from './test-support.ts';

describe('books of a run with every kind of event', () => {
  const script = busyRun();
  const records = script.records();
  const written = counts(records);

  test('balance, with what is explained', () => {
    const { summary } = script.measure();
    expect(summary.imbalances.filter((one) => !one.explained)).toEqual([]);
    expect(summary.balanced).toBe(true);
    expect(summary.imbalances).toMatchObject([
      { kind: 'unseen-close', link: 'apigw->nlb', count: 1, explained: true },
    ]);
  });

  test('hold every kind of event', () => {
    const kinds = new Set(records.map((record) => record.kind));
    const missing = EVENT_KIND_NAMES.filter((name, kind) => name !== '' && !kinds.has(kind as 1));
    // `lost` never occurs in a balanced run; it has its own test. `passing` is of the simulator's
    // delayed links only (sim/meters.test.ts).
    expect(missing).toEqual(['lost', 'passing']);
  });

  test('do not balance without any one event', () => {
    records.forEach((record, index) => {
      const { summary } = measure(script.info, records.toSpliced(index, 1), written);
      const name = EVENT_KIND_NAMES[record.kind];
      expect(summary.balanced, `${name}, event ${index}`).toBe(false);
    });
  });

  test('do not balance without the meaning of an event either, but for these', () => {
    const unnoticed = new Set<string>();
    records.forEach((record, index) => {
      const rest = numbered(records.toSpliced(index, 1));
      const { summary } = measure(script.info, rest);
      const { kind, a, c } = record;
      if (summary.balanced !== false) unnoticed.add(`${EVENT_KIND_NAMES[kind]} a=${a} c=${c}`);
    });
    expect([...unnoticed].sort()).toEqual(
      [
        // A refused connect without its end looks like one that is still tried: explained.
        `closed a=${closeCauseCode('peer_rst')} c=0`,
        // Teardown, after the strike.
        `closed a=${closeCauseCode('peer_rst')} c=100`,
        `closed a=${closeCauseCode('shutdown')} c=100`,
        // These stand alone; nothing else tells of them.
        `health a=${script.instance('web').index} c=0`,
        'mark a=0 c=0',
        'station a=1 c=0',
        // After a timeout or an error, the client may be about to try again.
        `requestDone a=0 c=${-exchangeFailureCode('timeout')}`,
        'requestDone a=1 c=504',
        // A yielded connection may get a slot at once, or wait for it and never get it.
        `slot a=${SlotState.held} c=0`,
        `slot a=${SlotState.active} c=0`,
      ].sort(),
    );
  });

  test('do not balance with any one event twice', () => {
    records.forEach((record, index) => {
      const { summary } = measure(script.info, records.toSpliced(index, 0, record), written);
      expect(summary.balanced, EVENT_KIND_NAMES[record.kind]).toBe(false);
    });
  });

  test('do not balance when events were lost, or a process was cut short', () => {
    const lost = [...records];
    const row = { ...(records[9] as EventRecord), kind: EventKind.lost, end: 0, a: 3 };
    lost.splice(9, 0, row);
    const { summary } = measure(script.info, numbered(lost));
    expect(summary.imbalances.map((one) => one.kind)).toContain('events-lost');
    expect(summary.balanced).toBe(false);
    const more = written.map((count, process) => count + Number(process === 1));
    expect(measure(script.info, records, more).summary.balanced).toBe(false);
  });

  test('are told apart from a kernel whose rows moved while they were counted', () => {
    const changed = (movedRows: number) =>
      (script.info.kernel ?? []).map((one) => ({
        ...one,
        acceptorRows: one.acceptorRows + 3,
        movedRows,
      }));
    const struck = (moved: number) =>
      measure({ ...script.info, kernel: changed(moved) }, records).summary;
    expect(struck(3).balanced).toBe(true);
    const kinds = struck(3).imbalances.map(({ kind }) => kind);
    expect(kinds).toContain('kernel');
    expect(struck(2).balanced).toBe(false);
  });

  test('do not balance against a kernel that counts otherwise', () => {
    for (const [index] of (script.info.kernel ?? []).entries()) {
      for (const side of ['acceptorRows', 'connectorRows'] as const) {
        const kernel = (script.info.kernel ?? []).map((one, at) =>
          at === index ? { ...one, [side]: one[side] + 2 } : one,
        );
        const { summary } = measure({ ...script.info, kernel }, records);
        expect(summary.balanced, `${side} of ${kernel[index]?.link}`).toBe(false);
      }
    }
  });

  test('are open while the run goes on', () => {
    const going = records.filter((record) => record.at < ORIGIN + 1_000_000);
    const info = { ...script.info, loadEnd: null, censusAt: null, kernel: null };
    expect(measure(info, going).summary.balanced).toBeNull();
  });

  test('do not balance without any stretch of events', () => {
    const cut = fc.tuple(fc.nat(records.length - 1), fc.integer({ min: 1, max: 40 }));
    fc.assert(
      fc.property(cut, ([from, length]) => {
        const { summary } = measure(script.info, records.toSpliced(from, length), written);
        expect(summary.balanced).toBe(false);
      }),
    );
  });
});
