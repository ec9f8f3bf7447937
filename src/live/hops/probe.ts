/**
 * One health check on a real socket: connect on the alive-check link, `GET path` with
 * `Connection: close`, and read the status. 200-399 within the timeout is healthy (NLB user
 * guide, "Health checks for target groups": HTTP success codes 200-399).
 */

import { type ExchangeFailure, PARENT_NONE } from '../../model/event.ts';
import type { Endpoint, Link } from '../../model/run.ts';
import type { Micros } from '../../model/units.ts';
import type { ConnectionEnd, EndHandlers, EndRegistry } from '../io/connection-end.ts';
import type { Clock } from '../runtime/clock.ts';
import { WakeTimer } from '../runtime/clock.ts';

/** The status line is at the very start; more is not kept. */
const HEAD_KEPT = 64;
const STATUS_LINE = /^HTTP\/1\.[01] (\d{3})[ \r\n]/;

export interface ProbeOptions {
  readonly ends: EndRegistry;
  readonly clock: Clock;
  readonly link: Link;
  readonly path: string;
  readonly timeout: Micros;
}

/**
 * Probes once; calls `done` exactly once, also when the connection never comes up. HTTP/1.0 and a
 * missing reason phrase are taken too: a health check asks for the status only.
 */
export function probe(options: ProbeOptions, target: Endpoint, done: (ok: boolean) => void): void {
  const { ends, clock, link, path, timeout } = options;
  let head = '';
  let exchange = 0;
  let settled = false;
  const settle = (end: ConnectionEnd, status: number, failure: ExchangeFailure): void => {
    if (settled) return;
    settled = true;
    timer.cancel();
    if (exchange > 0) end.exchangeEnded(exchange, status, failure);
    done(status >= 200 && status < 400);
  };
  const handlers: EndHandlers = {
    onConnect(end) {
      exchange = end.exchangeStarted(PARENT_NONE, 0, 0);
      end.writeOwned(
        `GET ${path} HTTP/1.1\r\nHost: ${target.address}:${target.port}\r\n` +
          'User-Agent: waterhammer-alive-check\r\nConnection: close\r\n\r\n',
      );
    },
    onData(_end, buffer, length) {
      if (head.length < HEAD_KEPT)
        head += buffer.toString('latin1', 0, Math.min(length, HEAD_KEPT));
    },
    onEnd(end) {
      const status = Number(STATUS_LINE.exec(head)?.[1] ?? 0);
      settle(end, status, status > 0 ? 'none' : 'protocol_error');
      end.close(status > 0 ? 'peer_fin' : 'protocol_error');
    },
    onDrain() {},
    onClose(end, cause) {
      settle(end, 0, cause === 'shutdown' ? 'shutdown' : 'reset');
    },
  };
  const end = ends.connect(link, target, handlers);
  const timer = new WakeTimer(clock, () => {
    settle(end, 0, 'timeout');
    end.close('request_timeout');
  });
  timer.wakeAt(clock.now() + timeout);
}
