/**
 * Throttle: a token bucket (API Gateway user guide, "Throttle requests": rate and burst).
 *
 *   tokens ──► refill `ratePerSecond`, never above `burst` ──► one token a request, or 429
 *
 * Counted in integers, so that nothing drifts: tokens in billionths, and what a refill leaves
 * below a billionth in thousandths of one, which is what a µs brings at a millionth of a request
 * per second. Rates are rounded to that. Over any window accepted <= burst + rate x window.
 *
 * A rate of 0 is no throttle, a burst of 0 lets nothing through. One between 0 and 1 (a document
 * that was scaled down has such) could never pay for a request and counts as 1. A lower burst
 * takes effect at once, a new rate from the change on.
 *
 * The rejected are told when a token will be there, in whole seconds of at least 1, as
 * `Retry-After` wants it (RFC 9110 section 10.2.3). API Gateway itself sends no such field; what
 * clients make of it is their retry policy's business. Budget: O(1) per input, no allocation.
 */
import type { ThrottleSettings } from '../model/topology.ts';
import { MICROS_PER_SECOND } from '../model/units.ts';

export interface ThrottlePort {
  accept(request: number): void;
  reject(request: number, retryAfterSeconds: number): void;
}

/** A token, counted in billionths; a burst of 9 million tokens is still an exact integer. */
const TOKEN = 1_000_000_000;
/** A rate of 1 per second, counted in millionths. Such a millionth brings, in 1 µs, ... */
const RATE = 1_000_000;
/** ... one of a thousand parts of a billionth; so in 1 ms a billionth, in 1 s a thousand. */
const THOUSAND = 1_000;

export class Throttle {
  static readonly inputs = ['admit', 'configure'] as const;
  static readonly outputs = ['accept', 'reject'] as const;

  readonly #port: ThrottlePort;
  /** Millionths per second; 0 = no throttle. */
  #rate = 0;
  /** Billionths. */
  #burst = 0;
  #tokens = 0;
  /** Earned beside `#tokens`: a thousand of these parts make one billionth. */
  #rest = 0;
  #refilledAt = 0;
  #accepted = 0;
  #rejected = 0;

  constructor(settings: ThrottleSettings, port: ThrottlePort) {
    this.#port = port;
    this.#rate = rateOf(settings);
    this.#burst = burstOf(settings);
    this.#tokens = this.#burst;
  }

  admit(now: number, request: number): void {
    if (this.#rate === 0) {
      this.#accepted += 1;
      this.#port.accept(request);
      return;
    }
    this.#refill(now);
    if (this.#tokens >= TOKEN) {
      this.#tokens -= TOKEN;
      this.#accepted += 1;
      this.#port.accept(request);
      return;
    }
    this.#rejected += 1;
    const seconds = Math.ceil((TOKEN - this.#tokens) / THOUSAND / this.#rate);
    this.#port.reject(request, Math.max(1, seconds));
  }

  configure(now: number, settings: ThrottleSettings): void {
    this.#refill(now);
    this.#rate = rateOf(settings);
    this.#burst = burstOf(settings);
    this.#tokens = Math.min(this.#tokens, this.#burst);
  }

  snapshot() {
    return { tokens: this.#tokens / TOKEN, accepted: this.#accepted, rejected: this.#rejected };
  }

  #refill(now: number): void {
    const elapsed = now - this.#refilledAt;
    if (elapsed <= 0) return;
    this.#refilledAt = now;
    const seconds = Math.floor(elapsed / MICROS_PER_SECOND);
    if (this.#tokens + seconds * this.#rate * THOUSAND >= this.#burst) {
      this.#fill();
      return;
    }
    // µs x rate would pass 2^53 at high rates; in two halves of three digits it does not.
    const micros = elapsed - seconds * MICROS_PER_SECOND;
    const thousands = Math.floor(micros / THOUSAND);
    const parts = this.#rest + (micros - thousands * THOUSAND) * this.#rate;
    const whole = Math.floor(parts / THOUSAND);
    this.#rest = parts - whole * THOUSAND;
    this.#tokens += (seconds * THOUSAND + thousands) * this.#rate + whole;
    if (this.#tokens >= this.#burst) this.#fill();
  }

  #fill(): void {
    this.#tokens = this.#burst;
    this.#rest = 0;
  }
}

function rateOf({ ratePerSecond }: ThrottleSettings): number {
  return ratePerSecond === 0 ? 0 : Math.max(1, Math.round(ratePerSecond * RATE));
}

function burstOf({ burst }: ThrottleSettings): number {
  return burst > 0 ? Math.max(TOKEN, Math.floor(burst * TOKEN)) : 0;
}
