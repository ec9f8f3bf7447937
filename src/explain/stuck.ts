/**
 * Can a queue be stuck beside its healthy state? Where that can be proved, yes or no; else what
 * is necessary for it is there, and whether it lasts is not known.
 */
import { type Known, unknown } from './answer.ts';
import { golden, needed, possible, type QueueCase, slotsOf } from './slots.ts';

export interface Stuck extends Omit<Known, 'value'> {
  readonly value: boolean | null;
}

export function stuckState(queue: QueueCase): Stuck {
  const slots = slotsOf(queue);
  const lasting = golden(queue);
  if (lasting !== null && lasting > slots) {
    return {
      value: true,
      standing: 'exact',
      formula: 'lasting connections > slots',
      source: 'counting: nobody closes, so no slot is given up',
      inputs: { connections: lasting, slots },
      remark: `and no other state: ${lasting - slots} connections starve`,
    };
  }
  if (queue.hop.reclaim === 'idle-yield') return reclaiming(queue);
  const most = possible(queue);
  if (most <= queue.hop.activeMax || (queue.hosts === 1 && most <= slots)) {
    return {
      value: false,
      standing: 'exact',
      formula: 'pools x connectionsMax <= activeMax',
      source: 'counting: every connection finds a slot',
      inputs: { connections: most, activeMax: queue.hop.activeMax },
      remark: null,
    };
  }
  return { ...unknown(NECESSARY), value: null, inputs: { slots } };
}

const NECESSARY =
  'possible: connections can outnumber the slots, and only their close frees one. Whether it ' +
  'lasts depends on which pools hold the slots: no closed form';

function reclaiming(queue: QueueCase): Stuck {
  const need = needed(queue);
  const slots = slotsOf(queue);
  if (typeof need.value !== 'number') return { ...unknown(need.remark ?? ''), value: null };
  if (need.value >= slots) {
    return { ...unknown('rate x (service + N) exceeds the slots: overload'), value: null };
  }
  return {
    value: false,
    standing: 'exact',
    formula: 'rate x (service + N) < slots',
    source: "Little's law: an idle slot goes to who waits after N",
    inputs: { ...need.inputs, slots },
    remark: 'where hosts are even',
  };
}
