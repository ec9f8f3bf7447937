/**
 * The flows that stand at the slots, as a balancer's ledger would list them if it knew: who, where
 * to, with a slot or without, and how much of the traffic each carried in the last minute.
 */
import { useSignal } from '@preact/signals';
import { STATES } from '../data/snapshot.ts';
import { address, duration } from '../format.ts';
import type { Shown } from '../model.ts';

interface Flow {
  readonly index: number;
  readonly source: string;
  readonly balancer: string;
  readonly target: string;
  /** Cell of the slot from 1; 0 = none. */
  readonly slot: number;
  readonly share: number;
  readonly state: string;
  readonly age: number;
  /** The finding that is shown means it. */
  readonly meant: number;
}

type Column = Exclude<keyof Flow, 'index' | 'meant'>;

const COLUMNS: readonly (readonly [Column, string])[] = [
  ['source', 'source'],
  ['balancer', 'balancer side'],
  ['target', 'target'],
  ['slot', 'slot'],
  ['share', 'share of traffic, 1 min'],
  ['state', 'state'],
  ['age', 'age'],
];

const ROWS_MAX = 200;
const SHARE_WINDOW = 60e6;

export function Ledger({ shown }: { shown: Shown }) {
  const sorted = useSignal<{ column: Column; down: boolean }>({ column: 'share', down: true });
  shown.seen.value;
  const flows = flowsOf(shown);
  const { column, down } = sorted.value;
  shown.highlight.value;
  flows.sort((x, y) => y.meant - x.meant || order(x[column], y[column]) * (down ? -1 : 1));
  const meant = flows.filter((flow) => flow.meant === 1).length;
  const most = flows.reduce((least, { share }) => Math.max(least, share), 1e-9);
  return (
    <div class="scroll ledger">
      <p class="hint">
        {flows.length.toLocaleString('en')} flows
        {meant > 0 && `, ${meant.toLocaleString('en')} of them meant by the finding`}
        {flows.length > ROWS_MAX && `, the first ${ROWS_MAX} shown`}
      </p>
      <table>
        <thead>
          <tr>
            {COLUMNS.map(([name, words]) => (
              <th
                key={name}
                scope="col"
                aria-sort={column !== name ? 'none' : down ? 'descending' : 'ascending'}
              >
                <button
                  type="button"
                  onClick={() => {
                    sorted.value = { column: name, down: column === name ? !down : true };
                  }}
                >
                  {words}
                  {column === name && (down ? ' ↓' : ' ↑')}
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {flows.slice(0, ROWS_MAX).map((flow) => (
            <Row key={flow.index} shown={shown} flow={flow} most={most} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Bars are drawn against the largest share. */
function Row({ shown, flow, most }: { shown: Shown; flow: Flow; most: number }) {
  const choose = (): void => {
    shown.chosen.value = flow.index;
  };
  return (
    <tr class={classOf(shown, flow)} onClick={choose}>
      <td>{flow.source}</td>
      <td>{flow.balancer}</td>
      <td>{flow.target}</td>
      <td class={flow.slot === 0 ? 'bad' : ''}>{flow.slot === 0 ? 'none' : flow.slot}</td>
      <td>
        <i class="share" style={{ width: `${(flow.share / most) * 60}px` }} />
        {(flow.share * 100).toFixed(1)} %
      </td>
      <td>{flow.state}</td>
      <td>{duration(flow.age)}</td>
    </tr>
  );
}

function classOf(shown: Shown, flow: Flow): string {
  const on = shown.chosen.value === flow.index ? 'on' : '';
  return flow.meant === 1 ? `meant-row ${on}` : on;
}

function order(x: string | number, y: string | number): number {
  if (typeof x === 'number' && typeof y === 'number') return x - y;
  return String(x) < String(y) ? -1 : Number(x !== y);
}

function flowsOf({ story, snapshot, meant }: Shown): Flow[] {
  const { connections, exchanges, face } = story;
  const kinds = new Map(face.topology.hops.map((hop) => [hop.name, hop.kind]));
  const wanted =
    story.links.find((link) => kinds.get(link.upstream) === 'connection-queue') ??
    story.links.find((link) => kinds.get(link.downstream) === 'l4-balancer') ??
    story.links[0];
  const links = face.plan.links.map((link) => link.upstream === wanted?.upstream);
  const flows: (Flow & { requests: number })[] = [];
  let total = 0;
  for (let at = 0; at < snapshot.count; at++) {
    const index = snapshot.index[at] ?? 0;
    if (links[connections.link.get(index)] !== true) continue;
    const head = connections.headOf(index);
    const from = snapshot.at - SHARE_WINDOW;
    const requests = exchanges.began(connections.id.get(head), from, snapshot.at, 10_000);
    total += requests;
    const acceptor = face.plan.instances[connections.acceptor.get(index)];
    flows.push({
      index,
      source: address(connections.connectorAddress.get(head)),
      balancer: head === index ? 'none' : address(connections.connectorAddress.get(index)),
      target:
        acceptor === undefined ? 'unknown' : (acceptor.host ?? acceptor.hop).replace('#', ' '),
      slot: (snapshot.cell[at] ?? -1) + 1,
      share: 0,
      state: STATES[snapshot.state[at] ?? 0] ?? 'idle',
      age: snapshot.at - connections.openedAt.get(index),
      meant: meant[at] ?? 0,
      requests,
    });
  }
  return flows.map((flow) => ({ ...flow, share: total === 0 ? 0 : flow.requests / total }));
}
