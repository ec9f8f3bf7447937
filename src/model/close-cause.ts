/**
 * Why a TCP connection ended, as one end saw it. The end that decides names the reason; the
 * other end sees only `peer_fin` or `peer_rst`. The ledger joins both: a connection's cause is
 * that of the end that decided, looked up through L4 relays, which merely pass a FIN or RST on.
 */
export const CLOSE_CAUSES = [
  'unknown',
  'idle_timeout',
  'max_requests',
  'max_age',
  'request_timeout',
  'connect_timeout',
  'queue_timeout',
  'overflow',
  'client_abort',
  'peer_fin',
  'peer_rst',
  'local_rst',
  'drain',
  'shutdown',
  'process_died',
  'protocol_error',
] as const;

export type CloseCause = (typeof CLOSE_CAUSES)[number];

/** The number that stands for a cause in event columns: its index in CLOSE_CAUSES. */
export function closeCauseCode(cause: CloseCause): number {
  return CLOSE_CAUSES.indexOf(cause);
}

export function closeCauseOf(code: number): CloseCause {
  return CLOSE_CAUSES[code] ?? 'unknown';
}
