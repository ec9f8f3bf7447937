/** What is answered: a quantity of a place, with its formula, so that it can be done by hand. */

/** How far an answer can be trusted by itself. */
export type Standing =
  /** The formula holds for this document, whatever the numbers. */
  | 'exact'
  /** The remark says what it leaves out. */
  | 'approximation'
  /** It is at least as much; the remark says why. */
  | 'bound'
  /** No closed form is known to us: the remark says why. */
  | 'unknown';

export type Quantity =
  | 'requestsPerSecond'
  | 'requestsInFlight'
  | 'secondsToAnswer'
  | 'throttledShare'
  | 'refusedShare'
  | 'abandonedShare'
  | 'newConnectionsPerSecond'
  | 'requestsPerNewConnection'
  | 'openConnections'
  | 'connectionLifeSeconds'
  | 'utilisation'
  | 'waitProbability'
  | 'meanWaitSeconds'
  | 'capacityPerSecond'
  | 'slots'
  | 'slotsNeeded'
  | 'hostOverflowProbability'
  | 'waitingBeginsPerSecond'
  | 'longestWaitForSlotSeconds'
  | 'stuckStateExists'
  | 'stallThatFillsSlotsSeconds'
  | 'connectionsThatFillSlots';

export interface Answer {
  /** A group of clients, a hop, or a link. */
  readonly at: string;
  readonly quantity: Quantity;
  /** null = not known, or it grows without end: the remark says which. */
  readonly value: number | boolean | null;
  readonly standing: Standing;
  readonly formula: string;
  readonly source: string;
  /** What was put into the formula: seconds, and per second. */
  readonly inputs: Readonly<Record<string, number>>;
  readonly remark: string | null;
  /** By which part of itself an approximation may be off; absent where nothing is promised. */
  readonly within?: number;
}

/** A number with what is known of it, before it has a place. */
export interface Known {
  readonly value: number | null;
  readonly standing: Standing;
  readonly formula: string;
  readonly source: string;
  readonly inputs: Readonly<Record<string, number>>;
  readonly remark: string | null;
  readonly within?: number;
}

export function unknown(remark: string): Known {
  return { value: null, standing: 'unknown', formula: '', source: '', inputs: {}, remark };
}

/** A number that may be off by more than this part of itself is not told. */
export const WITHIN_MAX = 0.25;

/** A known number that may be `off` by so much: what it promises, or that it is not known. */
export function estimated(known: Known, off: number, why: string): Known {
  const { value } = known;
  if (off === 0 || value === null || value === 0) return known;
  const within = Math.ceil((100 * off) / value) / 100;
  if (!(within <= WITHIN_MAX)) {
    return unknown(`${why}: from ${shortly(value - off)} to ${shortly(value + off)}`);
  }
  const remark = `${why}: within ${Math.round(100 * within)} %`;
  return { ...known, standing: 'approximation', within, remark };
}

function shortly(value: number): string {
  return String(Number(Math.max(0, value).toPrecision(3)));
}
