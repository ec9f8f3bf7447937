/** Against the same rules written with maps and sets; and numbers of places that are used again. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LinkMeter } from '../measure/link-meter.ts';
import { SeriesTable } from '../measure/series.ts';
import type { LinkShape } from '../measure/shape.ts';
import { Spread } from './spread.ts';

const LINKS = 2;

class Plain {
  readonly spreads: number[][] = Array.from({ length: LINKS }, () => []);
  readonly #followed = new Map<number, { own: object | null; last: object | null }>();
  readonly #books = new Map<
    object,
    { by: Set<number>[]; requests: number; inFlight: number; over: boolean }
  >();

  sent(connection: number): object {
    const one = this.#at(connection);
    if (one.own === null) {
      one.own = {};
      const by = Array.from({ length: LINKS }, () => new Set<number>());
      this.#books.set(one.own, { by, requests: 0, inFlight: 0, over: false });
    }
    this.#books.get(one.own)!.requests += 1;
    return one.own;
  }

  begins(key: object): boolean {
    const book = this.#books.get(key);
    if (book === undefined || book.over) return false;
    book.inFlight += 1;
    return true;
  }

  carried(key: object, connection: number, end: number, link: number): void {
    const book = this.#books.get(key);
    const one = this.#at(connection);
    if (book === undefined || one.last === key) return;
    one.last = key;
    book.by[link]!.add(end);
  }

  over(connection: number): void {
    const own = this.#followed.get(connection)?.own ?? null;
    this.#followed.delete(connection);
    const book = own === null ? undefined : this.#books.get(own);
    if (own === null || book === undefined) return;
    book.over = true;
    if (book.inFlight === 0) this.#strike(own);
  }

  ends(key: object): void {
    const book = this.#books.get(key);
    if (book === undefined) return;
    book.inFlight -= 1;
    if (book.over && book.inFlight === 0) this.#strike(key);
  }

  finish(): void {
    for (const key of [...this.#books.keys()]) this.#strike(key);
  }

  #at(connection: number) {
    const one = this.#followed.get(connection) ?? { own: null, last: null };
    this.#followed.set(connection, one);
    return one;
  }

  #strike(key: object): void {
    const book = this.#books.get(key)!;
    this.#books.delete(key);
    if (book.requests < 2) return;
    book.by.forEach((ends, link) => {
      if (ends.size > 0) this.spreads[link]!.push(ends.size);
    });
  }
}

const step = fc.record({
  kind: fc.nat(5),
  /** Client connections are 1 .. 3, others 11 .. 30; the number of the end goes with its life. */
  client: fc.integer({ min: 1, max: 3 }),
  other: fc.integer({ min: 11, max: 30 }),
  link: fc.nat(LINKS - 1),
  /** Mostly of the last ones. */
  pick: fc.oneof(fc.nat(7), fc.nat(1_000)),
});

function metersTelling(told: number[][]): LinkMeter[] {
  const table = new SeriesTable(0, 1);
  return told.map((into, index) => {
    const meter = new LinkMeter({ index, name: `link ${index}` } as LinkShape, table);
    meter.spread = (count) => into.push(count);
    return meter;
  });
}

it('does not take the number of one who had a place for that of who has it next', () => {
  const spread = new Spread(metersTelling([[]]), 60_000_000);
  const gone: number[] = [];
  for (let life = 0; life < 5_000; life++) {
    gone.push(spread.sent(1, 1, 1_000));
    spread.over(1);
  }
  const present = Array.from({ length: 5_000 }, (_, one) => spread.sent(one + 1, 1, 1_000));
  expect(new Set([...gone, ...present]).size).toBe(10_000);
  for (const number of gone) expect(spread.exchangeBegins(number)).toBe(0);
  for (const number of present) expect(spread.exchangeBegins(number)).toBe(number);
});

it('gives what maps and sets give', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 150, maxLength: 400 }), (steps) => {
      const told: number[][] = Array.from({ length: LINKS }, () => []);
      const spread = new Spread(metersTelling(told), 60_000_000);
      const plain = new Plain();
      /** What exchanges know, also long after everything was booked. */
      const known: { number: number; key: object }[] = [];
      const flying: { number: number; key: object }[] = [];
      let life = 1;
      // So many lives that places are given on.
      for (let past = 0; past < 1_100; past++) {
        for (let request = 0; request < 2; request++) {
          const key = plain.sent(9);
          spread.carried(spread.sent(9, 1, 1_000), 10, past + 10_000, 0, false);
          plain.carried(key, 10, past + 10_000, 0);
        }
        spread.over(9);
        plain.over(9);
      }
      for (const { kind, client, other, link, pick } of steps) {
        if (kind === 0) {
          known.push({ number: spread.sent(client, 1, 1_000), key: plain.sent(client) });
        } else if (kind === 1) {
          life += 1;
          spread.over(pick % 2 === 0 ? client : other);
          plain.over(pick % 2 === 0 ? client : other);
        } else if (known.length > 0 && kind !== 5) {
          const { number, key } = known[known.length - 1 - (pick % known.length)]!;
          if (kind === 2) {
            const begun = spread.exchangeBegins(number);
            expect(begun !== 0).toBe(plain.begins(key));
            if (begun !== 0) flying.push({ number, key });
          } else {
            const end = other + 100 * life;
            spread.carried(number, other, end, link, false);
            plain.carried(key, other, end, link);
          }
        } else if (flying.length > 0) {
          const [{ number, key }] = flying.splice(pick % flying.length, 1) as [(typeof flying)[0]];
          spread.exchangeOver(number);
          plain.ends(key);
        }
      }
      spread.finish();
      plain.finish();
      const sorted = (all: number[][]) => all.map((ones) => [...ones].sort((a, b) => a - b));
      expect(sorted(told)).toEqual(sorted(plain.spreads));
    }),
    { numRuns: 200 },
  );
});
