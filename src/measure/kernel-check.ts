/**
 * The kernel's own table against the census, per link: rows at the listener's ports on either
 * side, TIME_WAIT left out. Connections whose ends disagree for a known reason may be there or
 * not (after a FIN there is a row, after an RST none), and a pending connect has a row but no
 * open socket: differences up to their number are listed as explained. So are those up to the
 * number of rows that came or went during the count, in a run that did not become quiet.
 *
 * Left out: links between two foreign hops, of which the kernel is the only witness; the
 * connector's side of foreign clients, and a database by URL: they may live on
 * another machine, of which this kernel has no rows.
 */
import type { RunInfo } from '../model/run.ts';
import type { FoldContext } from './context.ts';
import type { LinkMeter } from './link-meter.ts';
import type { LinkShape } from './shape.ts';

export function checkKernel(context: FoldContext): void {
  for (const count of context.info.kernel ?? []) {
    const meter = context.links.find((one) => one.shape.name === count.link);
    if (meter === undefined) continue;
    const { shape } = meter;
    const moved = count.movedRows;
    if (shape.connectorOwn) {
      const slack = moved + meter.unseenCloses + meter.pendingConnects;
      compare(context, meter, 'connectors', count.connectorRows, meter.censusConnectors, slack);
    }
    if (shape.acceptorOwn) {
      compare(
        context,
        meter,
        'acceptors',
        count.acceptorRows,
        meter.censusAcceptors,
        moved + meter.unseenCloses,
      );
    } else if (shape.connectorOwn && !mayBeElsewhere(context.info, shape)) {
      const slack = moved + meter.pendingConnects;
      compare(context, meter, 'acceptors', count.acceptorRows, meter.censusConnectors, slack);
    }
  }
}

function compare(
  context: FoldContext,
  meter: LinkMeter,
  side: 'connectors' | 'acceptors',
  rows: number,
  sockets: number,
  slack: number,
): void {
  if (rows === sockets) return;
  const { name, downstream, upstream } = meter.shape;
  const known = Math.abs(rows - sockets) <= slack;
  const weight = known ? 'explained' : context.weightOfLink(downstream, upstream);
  const text = 'The kernel has another number of connections than the hops';
  const example = `${side}: ${rows} in the kernel's table, ${sockets} live sockets`;
  context.books.report('kernel', weight, name, text, example);
}

function mayBeElsewhere(info: RunInfo, link: LinkShape): boolean {
  const hop = info.topology.hops.find((one) => one.name === link.upstream);
  return hop?.kind === 'database' && hop.implementation === 'url';
}
