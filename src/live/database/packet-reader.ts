/**
 * Cuts a byte stream into MySQL packets: 3 bytes length, 1 byte sequence number, payload
 * (MySQL internals, "Protocol Basics"). A packet that lies whole in one read is handed out
 * where it is, without a copy; what is left of a read is copied by `keep()`.
 *
 *   read ─add()─► [ packet | packet | pack…] ─next()─► payload, sequence
 *                                     └ keep() ► own buffer, the next read is appended
 *
 * Left out: packets of 16 MiB and more, which come in several parts; `PACKET_BYTES_MAX` is far
 * below that, as our app's are. Bounded: never more than one packet of that size and one read.
 */

/** Larger packets are an error, as with a server's `max_allowed_packet`. */
export const PACKET_BYTES_MAX = 1_048_576;

const HEAD_BYTES = 4;
/** A buffer larger than this is given back once it is empty. */
const KEPT_BYTES = 16_384;
const EMPTY = Buffer.alloc(0);

export class PacketReader {
  sequence = 0;
  /** Bytes of the payload that next() found. */
  length = 0;
  #start = 0;
  #bytes: Buffer = EMPTY;
  #from = 0;
  #to = 0;
  #own: Buffer = EMPTY;

  /** Bytes that were not handed out yet. */
  get waiting(): number {
    return this.#to - this.#from;
  }

  /** The payload that next() found, as a view of its own; valid until the next add() or keep(). */
  get payload(): Buffer {
    return this.#bytes.subarray(this.#start, this.#start + this.length);
  }

  /** Its first byte, which mostly says enough; -1 where it is empty. */
  get first(): number {
    return this.length === 0 ? -1 : (this.#bytes[this.#start] ?? -1);
  }

  /** Takes chunk[0..size); the bytes must stay as they are until keep(). */
  add(chunk: Buffer, size = chunk.length): void {
    if (this.#from === this.#to) {
      this.#bytes = chunk;
      this.#from = 0;
      this.#to = size;
      return;
    }
    this.#reserve(size);
    chunk.copy(this.#bytes, this.#to, 0, size);
    this.#to += size;
  }

  next(): 'packet' | 'incomplete' | 'too-large' {
    const bytes = this.#bytes;
    const from = this.#from;
    if (this.waiting < HEAD_BYTES) return 'incomplete';
    const length = bytes.readUIntLE(from, 3);
    if (length > PACKET_BYTES_MAX) return 'too-large';
    const start = from + HEAD_BYTES;
    if (this.#to < start + length) return 'incomplete';
    this.sequence = bytes[from + 3] ?? 0;
    this.#start = start;
    this.length = length;
    this.#from = start + length;
    return 'packet';
  }

  /** Copies what is left, so that the read's buffer can be used again. */
  keep(): void {
    if (this.#bytes === this.#own && this.waiting > 0) return;
    if (this.waiting > 0) this.#reserve(0);
    else if (this.#own.length > KEPT_BYTES) this.#own = EMPTY;
    if (this.waiting === 0) this.#bytes = EMPTY;
  }

  /** Makes the bytes our own, at the front of a buffer with room for `more`. */
  #reserve(more: number): void {
    const wanted = this.waiting + more;
    if (this.#bytes === this.#own && this.#to + more <= this.#own.length) return;
    let target = this.#own;
    if (target.length < wanted) {
      target = Buffer.allocUnsafe(Math.max(wanted, 2 * this.#own.length, HEAD_BYTES * 64));
    }
    // copy() moves overlapping bytes correctly.
    this.#bytes.copy(target, 0, this.#from, this.#to);
    this.#to = this.waiting;
    this.#from = 0;
    this.#own = target;
    this.#bytes = target;
  }
}
