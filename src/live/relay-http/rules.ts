/**
 * What distinguishes one L7 relay from another: time limits, retries and what it makes of a
 * client that says it will send no more.
 */
import type { Micros } from '../../model/units.ts';

export interface RelayRules {
  /** 0 = none. */
  readonly responseTimeout: Micros;
  /**
   * `whole`: from the request's head to the response's last byte (API Gateway's integration
   * timeout). `silence`: since the last byte moved (CloudFront, nginx, ALB).
   */
  readonly timeoutCovers: 'whole' | 'silence';
  readonly connectTimeout: Micros;
  /** For a request's head from its first byte to its last; then 408. 0 = none. */
  readonly requestHeadTimeout: Micros;
  /** Between two reads of a request's body; then 408. 0 = none. */
  readonly requestBodyTimeout: Micros;
  /** A tunnel in which nothing moves for so long is closed. 0 = never. */
  readonly tunnelIdleTimeout: Micros;
  /** Attempts in all to get a connection for a request. */
  readonly connectionAttempts: number;
  /** Attempts in all for GET and HEAD when the response times out before its first byte. */
  readonly responseAttempts: number;
  /**
   * An idempotent request whose reused connection closed before any byte of a response is
   * sent once more (RFC 9112 section 9.3.1): the server had closed an idle connection while
   * the request was on its way.
   */
  readonly retriesStale: boolean;
  /** Every request to the upstream carries `Connection: close`. */
  readonly closesUpstream: boolean;
  /**
   * A client's FIN behind a whole request: `answer` it still (a half-close is legal), or
   * `abort` as nginx does (`proxy_ignore_client_abort off`), which frees the upstream.
   */
  readonly onClientFin: 'answer' | 'abort';
}
