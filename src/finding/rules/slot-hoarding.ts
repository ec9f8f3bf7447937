/**
 * Slot hoarding: connections hold slots of a connection queue without a request in flight,
 * while others wait with one. The mark of the incident: slots all taken, nearly idle, and no
 * error anywhere. Source: facts of the incident; haproxy/haproxy#18 describes the same.
 *
 * Fires when hoarded slot time is at least a tenth of all slot time of the load and at least one
 * connection starved: less is the ordinary time that a slot needs to change hands.
 */
import { hoardedShare, hopsOf, percent, type Rule, round } from '../input.ts';

/** A queue with less than this share of hoarded slot time is not hoarding. */
export const HOARDED_SHARE_MIN = 0.1;

export const slotHoarding: Rule = ({ topology, summary }) =>
  summary.queues.flatMap((queue) => {
    const settings = hopsOf(topology, 'connection-queue').find((one) => one.name === queue.name);
    const { hoardedSlotSeconds, starvedConnections, slotUtilisation, slotOccupancy } = queue;
    if (settings === undefined || hoardedSlotSeconds === null || starvedConnections === null)
      return [];
    const { slots, share } = hoardedShare(topology, summary, queue);
    if (share < HOARDED_SHARE_MIN || starvedConnections === 0) return [];
    const busy =
      slotUtilisation === null ? 'mostly idle' : `busy ${percent(slotUtilisation)} of the time`;
    return [
      {
        kind: 'slot-hoarding',
        hop: queue.name,
        severity: 'critical',
        title:
          `${slots} slots were ${busy}, yet ${starvedConnections} connections with a request ` +
          `waited for one: idle connections hoarded ${round(hoardedSlotSeconds, 1)} slot seconds.`,
        evidence: {
          slots,
          slotUtilisation,
          slotOccupancy,
          hoardedSlotSeconds,
          hoardedShare: round(share, 4),
          starvedConnections,
          heldMax: queue.heldMax,
          reclaim: settings.reclaim,
        },
        remedy:
          settings.reclaim === 'none'
            ? `Let the queue take idle slots back (${queue.name}.reclaim: idle-yield), or ` +
              `limit requests instead of connections.`
            : `Shorten the silence after which a slot may be taken ` +
              `(${queue.name}.reclaimAfter): requests/s x (service time + reclaimAfter) must ` +
              `stay below ${slots} slots.`,
      },
    ];
  });
