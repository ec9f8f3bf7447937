/**
 * Retry: whether and when a failed attempt is made again.
 *
 *   failed(attempt n) ──► n < attemptsMax, the reason is listed, the budget has a token?
 *        yes: retryAt(now + pause)        no: giveUp
 *
 * The pause is backoff x 2^(n-1), at most backoffMax, of which a part `jitter` is drawn
 * ("full jitter" is jitter 1; Amazon Builders' Library, "Timeouts, retries, and backoff with
 * jitter"). The budget is a token bucket: each first attempt adds `budget` of a token, a retry
 * takes one (Finagle's RetryBudget; at most BUDGET_TOKENS_MAX are kept, and as many are there at
 * the start, as in gRPC's throttling of retries). So over any time
 *
 *   retries <= BUDGET_TOKENS_MAX + budget x first attempts
 *
 * which is what keeps an outage from multiplying its own load. A budget of 1 is none.
 * `Retry-After` (RFC 9110 section 10.2.3) only ever makes a pause longer.
 *
 * The pause is handed out, not waited for: the driver has a place for what is due later. Budget:
 * O(attempts) per failure, no allocation.
 */
import type { RetryReason, RetrySettings } from '../model/topology.ts';
import { MICROS_PER_SECOND } from '../model/units.ts';
import type { DrawPort } from './contract.ts';

/** Codes of reasons, for the integer inputs. */
export const RETRY_REASONS: readonly RetryReason[] = ['timeout', 'reset', 'refused', '429', '5xx'];

export function retryReasonCode(reason: RetryReason): number {
  return RETRY_REASONS.indexOf(reason);
}

/** Enough for a short outage of a quiet client group; Finagle keeps as many as 10 s earn. */
export const BUDGET_TOKENS_MAX = 100;
const WHOLE = 1_000_000;
const DRAW_STEPS = 1_000_000;

export interface RetryPort extends DrawPort {
  /** Make the next attempt at `at` (µs). */
  retryAt(request: number, at: number): void;
  giveUp(request: number): void;
}

export class Retry {
  static readonly inputs = ['firstAttempt', 'failed', 'configure'] as const;
  static readonly outputs = ['retryAt', 'giveUp', 'draw'] as const;

  #settings: RetrySettings;
  readonly #port: RetryPort;
  /** Millionths of a token. */
  #tokens = BUDGET_TOKENS_MAX * WHOLE;
  #retries = 0;
  #gaveUp = 0;

  constructor(settings: RetrySettings, port: RetryPort) {
    this.#settings = settings;
    this.#port = port;
  }

  /** A request was made for the first time. */
  firstAttempt(_now: number, _request: number): void {
    const earned = Math.floor(this.#settings.budget * WHOLE);
    this.#tokens = Math.min(this.#tokens + earned, BUDGET_TOKENS_MAX * WHOLE);
  }

  /**
   * Attempt number `attempt` (from 1) failed for a reason (its code). `notBefore` is how many
   * whole seconds the answer asked to wait (Retry-After), or 0.
   */
  failed(now: number, request: number, attempt: number, reason: number, notBefore: number): void {
    const { attemptsMax, on, budget } = this.#settings;
    const listed = RETRY_REASONS[reason];
    const allowed = attempt < attemptsMax && listed !== undefined && on.includes(listed);
    const paid = budget >= 1 || this.#tokens >= WHOLE;
    if (!allowed || !paid) {
      this.#gaveUp += 1;
      this.#port.giveUp(request);
      return;
    }
    if (budget < 1) this.#tokens -= WHOLE;
    this.#retries += 1;
    const at = Math.max(now + this.#pause(attempt), now + notBefore * MICROS_PER_SECOND);
    this.#port.retryAt(request, at);
  }

  configure(_now: number, settings: RetrySettings): void {
    this.#settings = settings;
  }

  snapshot() {
    return { tokens: this.#tokens / WHOLE, retries: this.#retries, gaveUp: this.#gaveUp };
  }

  #pause(attempt: number): number {
    const { backoff, backoffMax, jitter } = this.#settings;
    let pause = backoff;
    for (let n = 1; n < attempt && pause < backoffMax; n++) pause *= 2;
    pause = Math.min(pause, Math.max(backoffMax, backoff));
    if (jitter === 0) return pause;
    const drawn = this.#port.draw(DRAW_STEPS) / DRAW_STEPS;
    return Math.floor(pause * (1 - jitter * drawn));
  }
}
