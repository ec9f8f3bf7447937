/** Bytes that were sent on connections, either way: kept only where somebody is told of them. */
const FIRST_ROOM = 64;

export class Bytes {
  /** Two each: up, down. */
  #sent = new Float64Array(2 * FIRST_ROOM);

  up(connection: number, bytes: number): void {
    this.#add(2 * connection, bytes);
  }

  down(connection: number, bytes: number): void {
    this.#add(2 * connection + 1, bytes);
  }

  upOf(connection: number): number {
    return this.#sent[2 * connection] ?? 0;
  }

  downOf(connection: number): number {
    return this.#sent[2 * connection + 1] ?? 0;
  }

  /** The connection's number is about to be another's. */
  forget(connection: number): void {
    this.#sent.fill(0, 2 * connection, 2 * connection + 2);
  }

  #add(place: number, bytes: number): void {
    while (place >= this.#sent.length) {
      const sent = new Float64Array(this.#sent.length * 2);
      sent.set(this.#sent);
      this.#sent = sent;
    }
    this.#sent[place] = (this.#sent[place] ?? 0) + bytes;
  }
}
