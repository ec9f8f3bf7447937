/**
 * Throttle: a token bucket (API Gateway user guide, "Throttle requests": rate and burst).
 *
 *   tokens ──► refill `ratePerSecond`, never above `burst` ──► one token a request, or 429
 *
 * Tokens are counted in millionths, and time in whole µs, so that refilling is exact: the part
 * of a millionth that a refill cannot express stays behind as elapsed time not yet used. Nothing
 * drifts, and over any window accepted <= burst + rate x window.
 *
 * The rejected are told when a token will be there, in whole seconds of at least 1, as
 * `Retry-After` wants it (RFC 9110 section 10.2.3). Budget: O(1), no allocation.
 */
import type { ThrottleSettings } from '../model/topology.ts';

export interface ThrottlePort {
  accept(request: number): void;
  reject(request: number, retryAfterSeconds: number): void;
}

const WHOLE = 1_000_000;

export class Throttle {
  static readonly inputs = ['admit', 'configure'] as const;
  static readonly outputs = ['accept', 'reject'] as const;

  #settings: ThrottleSettings;
  readonly #port: ThrottlePort;
  /** Millionths of a token. */
  #tokens: number;
  #refilledAt: number | null = null;
  #accepted = 0;
  #rejected = 0;

  constructor(settings: ThrottleSettings, port: ThrottlePort) {
    this.#settings = settings;
    this.#port = port;
    this.#tokens = settings.burst * WHOLE;
  }

  admit(now: number, request: number): void {
    const { ratePerSecond } = this.#settings;
    if (ratePerSecond === 0) {
      this.#accepted += 1;
      this.#port.accept(request);
      return;
    }
    this.#refill(now);
    if (this.#tokens >= WHOLE) {
      this.#tokens -= WHOLE;
      this.#accepted += 1;
      this.#port.accept(request);
      return;
    }
    this.#rejected += 1;
    const seconds = Math.ceil((WHOLE - this.#tokens) / WHOLE / ratePerSecond);
    this.#port.reject(request, Math.max(1, seconds));
  }

  /** A lower burst takes effect at once; a new rate counts from now on. */
  configure(now: number, settings: ThrottleSettings): void {
    this.#refill(now);
    this.#settings = settings;
    this.#refilledAt = now;
    this.#tokens = Math.min(this.#tokens, settings.burst * WHOLE);
  }

  snapshot() {
    return { tokens: this.#tokens / WHOLE, accepted: this.#accepted, rejected: this.#rejected };
  }

  #refill(now: number): void {
    const { ratePerSecond, burst } = this.#settings;
    this.#refilledAt ??= now;
    if (ratePerSecond === 0 || now <= this.#refilledAt) return;
    // tokens/s = millionths/µs, so the rate is also millionths of a token per µs.
    const gained = Math.floor((now - this.#refilledAt) * ratePerSecond);
    if (this.#tokens + gained >= burst * WHOLE) {
      this.#tokens = burst * WHOLE;
      this.#refilledAt = now;
      return;
    }
    this.#tokens += gained;
    this.#refilledAt += Math.floor(gained / ratePerSecond);
  }
}
