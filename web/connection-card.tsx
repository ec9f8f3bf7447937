/** What is known of the connection that is pointed at, or was chosen. */
import { closeCauseOf } from '../src/model/close-cause.ts';
import { STATES } from './data/snapshot.ts';
import { address, clock, count, duration } from './format.ts';
import type { Shown } from './model.ts';

const WORDS: Readonly<Record<(typeof STATES)[number], string>> = {
  idle: 'idle',
  active: 'active: a request in flight',
  waiting: 'held: its request is unread',
  held: 'held, without a request',
  closing: 'closing',
};

export function ConnectionCard({ shown }: { shown: Shown }) {
  const chosen = shown.chosen.value;
  const index = shown.hovered.value >= 0 ? shown.hovered.value : chosen;
  shown.seen.value;
  if (index < 0) return null;
  const rows = factsOf(shown, index);
  return (
    <aside class="card" aria-live="polite">
      <h3>
        connection {shown.story.connections.id.get(index)}
        {index === chosen && (
          <button
            type="button"
            aria-label="close"
            onClick={() => {
              shown.chosen.value = -1;
            }}
          >
            ×
          </button>
        )}
      </h3>
      <dl>
        {rows.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </aside>
  );
}

function factsOf(shown: Shown, index: number): [string, string][] {
  const { story, snapshot } = shown;
  const { connections } = story;
  const link = story.face.plan.links[connections.link.get(index)]?.name ?? 'unknown';
  const openedAt = connections.openedAt.get(index);
  const closedAt = connections.closedAt.get(index);
  const isClosed = closedAt <= snapshot.at;
  const position = snapshot.index.subarray(0, snapshot.count).indexOf(index);
  const state = STATES[snapshot.state[position] ?? 0] ?? 'idle';
  const cell = position < 0 ? -1 : (snapshot.cell[position] ?? -1);
  const facts: [string, string][] = [
    ['link', link.replace('->', ' → ')],
    ['from', address(connections.connectorAddress.get(index))],
    ['to', address(connections.acceptorAddress.get(index))],
    ['state', isClosed ? `closed at ${clock(closedAt)}` : WORDS[state]],
  ];
  if (cell >= 0) facts.push(['slot', String(cell + 1)]);
  facts.push(['age', duration((isClosed ? closedAt : snapshot.at) - openedAt)]);
  facts.push(['requests', requestsOf(shown, index)]);
  const waited = connections.waitedMax.get(index);
  if (waited > 0) facts.push(['longest wait', duration(waited)]);
  facts.push(['paired with', pairsOf(shown, index)]);
  const cause = connections.cause.get(index);
  if (isClosed && cause >= 0) facts.push(['why closed', closeCauseOf(cause).replaceAll('_', ' ')]);
  return facts;
}

function requestsOf({ story, snapshot }: Shown, index: number): string {
  const { connections, exchanges } = story;
  const head = connections.headOf(index);
  const latest = exchanges.at(connections.id.get(head), snapshot.at);
  const soFar = latest < 0 ? 0 : exchanges.ordinal.get(latest);
  const inAll = connections.exchanges.get(index);
  return inAll < 0
    ? count(soFar)
    : `${count(Math.min(soFar, inAll))} so far, ${count(inAll)} in all`;
}

function pairsOf({ story }: Shown, index: number): string {
  const { connections, face } = { ...story, face: story.face };
  const name = (id: number): string[] => {
    const other = connections.indexOf(id);
    const link = face.plan.links[connections.link.get(other)]?.name ?? '';
    return other < 0 ? [] : [`${id} (${link.replace('->', ' → ')})`];
  };
  const pairs = [connections.downstream, connections.upstream].flatMap((one) =>
    name(one.get(index)),
  );
  return pairs.length === 0 ? 'none' : pairs.join(', ');
}
