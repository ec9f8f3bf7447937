/**
 * Seeded random streams: sfc32 (Chris Doty-Humphrey's Small Fast Counter, 128 bits of state,
 * passes PractRand), one per purpose. A stream's state comes from the run's seed and its name,
 * so that adding a purpose never shifts the draws of another.
 *
 * Only integer operations and exact scaling: the same numbers on every engine; golden values are
 * in the test. Left out: jumping ahead, and any use where somebody gains by guessing. Budget: no
 * allocation, 2-3 ns a number.
 */
/** Numbers dropped before the first, so that every bit of the state has reached every word. */
export const WARM_UP = 15;
const WORDS = 4_294_967_296;

/** Numbers below 2^32 and what is made of them. */
export class RandomStream {
  // A field that begins as nothing is of any kind to the engine, and three times as slow.
  #a = 0;
  #b = 0;
  #c = 0;
  #counter = 0;

  constructor(seed: number, name: string) {
    [this.#a, this.#b, this.#c, this.#counter] = initialState(seed, name);
    for (let i = 0; i < WARM_UP; i++) this.uint32();
  }

  /** Goes on from a state that lies in four words (int32). */
  load(words: Int32Array, place: number): void {
    this.#a = words[place] ?? 0;
    this.#b = words[place + 1] ?? 0;
    this.#c = words[place + 2] ?? 0;
    this.#counter = words[place + 3] ?? 0;
  }

  /** Keeps the present state there. */
  store(words: Int32Array, place: number): void {
    words[place] = this.#a;
    words[place + 1] = this.#b;
    words[place + 2] = this.#c;
    words[place + 3] = this.#counter;
  }

  /** A uniform integer in 0 .. 2^32 - 1. */
  uint32(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /**
   * A uniform integer in 0 .. bound - 1, without bias: what lies beyond the last whole multiple
   * of `bound` is drawn again. Throws unless bound is an integer in 1 .. 2^32.
   */
  below(bound: number): number {
    if (!(bound >= 1 && bound <= WORDS && Math.floor(bound) === bound)) {
      throw new RangeError(`no integer lies below ${bound}`);
    }
    const limit = WORDS - (WORDS % bound);
    let drawn = this.uint32();
    while (drawn >= limit) drawn = this.uint32();
    return drawn % bound;
  }

  /** A uniform double in [0, 1) with 53 random bits. */
  unit(): number {
    const high = this.uint32() >>> 5;
    const low = this.uint32() >>> 6;
    return (high * 67_108_864 + low) / 9_007_199_254_740_992;
  }
}

/** The stream of one purpose of a run. */
export function randomStream(seed: number, name: string): RandomStream {
  return new RandomStream(seed, name);
}

/** The words a, b, c and counter (int32) before the first WARM_UP numbers are dropped. */
export function initialState(seed: number, name: string): [number, number, number, number] {
  const [a, b, c, d] = hash128(`${seed}/${name}`);
  return [a, b, c, d | 1];
}

/** 128 bits of a string: four lanes of multiply-xor, mixed at the end as murmur3 does. */
function hash128(text: string): [number, number, number, number] {
  const lanes: [number, number, number, number] = [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344];
  const factors = [0x9e3779b1, 0x85ebca77, 0xc2b2ae3d, 0x27d4eb2f] as const;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    for (let lane = 0; lane < 4; lane++) {
      const neighbour = lanes[(lane + 1) % 4] ?? 0;
      const mixed = (lanes[lane] ?? 0) ^ code ^ (neighbour >>> 15);
      lanes[lane] = Math.imul(mixed, factors[lane] ?? 1) ^ (mixed >>> 13);
    }
  }
  return [mix(lanes[0] ^ lanes[2]), mix(lanes[1]), mix(lanes[2]), mix(lanes[3] ^ lanes[1])];
}

function mix(lane: number): number {
  let value = Math.imul(lane ^ (lane >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return value ^ (value >>> 16);
}
