/**
 * Fault: clients that stop reading their sockets for a while. What is sent to them fills the
 * kernel's buffers and then those of whoever sends. They still give up after their timeout.
 */
import type { RandomStream } from '../../random/stream.ts';

export class Deafness {
  readonly #stream: RandomStream;
  /** How many faults make a client deaf now. */
  readonly #deaf = new Map<number, number>();

  constructor(stream: RandomStream) {
    this.#stream = stream;
  }

  has(client: number): boolean {
    return this.#deaf.has(client);
  }

  /** Makes exactly that share of clients 1..count deaf, drawn by chance; gives their numbers. */
  begin(share: number, count: number): number[] {
    const chosen: number[] = [];
    const wanted = Math.round(share * count);
    // Selection sampling (Knuth, The Art of Computer Programming 2, 3.4.2 S).
    for (let client = 1; client <= count && chosen.length < wanted; client++) {
      const left = count - client + 1;
      if (this.#stream.below(left) < wanted - chosen.length) chosen.push(client);
    }
    for (const client of chosen) this.#deaf.set(client, (this.#deaf.get(client) ?? 0) + 1);
    return chosen;
  }

  /** The fault is over; gives the numbers of those that hear again. */
  end(chosen: readonly number[]): number[] {
    return chosen.filter((client) => {
      const faults = (this.#deaf.get(client) ?? 0) - 1;
      if (faults > 0) this.#deaf.set(client, faults);
      else this.#deaf.delete(client);
      return faults <= 0;
    });
  }
}
