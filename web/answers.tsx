/** The three questions of an incident, answered for the time that is looked at. */

import { State } from './data/snapshot.ts';
import { count, duration } from './format.ts';
import type { Shown } from './model.ts';

export function Answers({ shown }: { shown: Shown }) {
  return (
    <dl class="answers">
      <Multiply shown={shown} />
      <Holders shown={shown} />
      <Waiters shown={shown} />
    </dl>
  );
}

/** Above this many new connections in ten seconds, few requests on each are a bad sign. */
const MANY_NEW = 20;

/**
 * The link before the slots (or the last one) that opens the most connections for what it
 * carries. What clients open themselves is their habit; behind a queue a web server that keeps
 * no connections opens one a request, as it was told to.
 */
function Multiply({ shown }: { shown: Shown }) {
  shown.seen.value;
  const { story, player } = shown;
  const kinds = new Map(story.face.topology.hops.map((hop) => [hop.name, hop.kind]));
  const second = player.second.value;
  const inner = story.links.filter(
    ({ downstream }) => !UNTOLD.has(kinds.get(downstream) ?? 'clients'),
  );
  const found = inner.map((link) => ({
    link,
    ...inTenSeconds(shown, `link:${link.name}`, second),
  }));
  const worst = found.sort((x, y) => x.exchanges / x.opened - y.exchanges / y.opened)[0];
  const question = 'Where do connections multiply?';
  if (worst === undefined)
    return <Answer question={question} figure="nowhere" text="nobody spreads requests here" />;
  const { link, opened, exchanges } = worst;
  if (opened === 0) return <Answer question={question} figure="nowhere now" text="none is new" />;
  const per = exchanges / opened;
  return (
    <Answer
      question={question}
      figure={`${link.downstream} → ${link.upstream}`}
      text={`${count(opened)} new in 10 s, ${per.toFixed(per < 10 ? 1 : 0)} requests on each`}
      tone={per < 20 && opened > MANY_NEW ? 'bad' : 'plain'}
    />
  );
}

const UNTOLD: ReadonlySet<string> = new Set([
  'clients',
  'connection-queue',
  'l4-balancer',
  'web-server',
  'app',
]);

function inTenSeconds(
  { story }: Shown,
  scope: string,
  second: number,
): { opened: number; exchanges: number } {
  let opened = 0;
  let exchanges = 0;
  for (let at = second - 9; at <= second; at++) {
    opened += story.series.at(scope, 'opened', at) || 0;
    exchanges += story.series.at(scope, 'exchanges', at) || 0;
  }
  return { opened, exchanges };
}

function Holders({ shown }: { shown: Shown }) {
  shown.seen.value;
  const { story, player } = shown;
  const queue = story.face.topology.hops.find((hop) => hop.kind === 'connection-queue');
  const question = 'Who holds the slots?';
  if (queue?.kind !== 'connection-queue')
    return <Answer question={question} figure="no queue" text="there are no slots in this chain" />;
  // The present second is not told before it is over.
  const last = story.series.secondOf(story.series.length - 1);
  const seconds = Math.min(player.second.value, last);
  const scope = `hop:${queue.name}`;
  const active = story.series.at(scope, 'active', seconds);
  const busy = story.series.at(scope, 'slotUtilisation', seconds);
  const hosts = story.face.topology.hosts.find((one) => one.hops.includes(queue.name))?.count ?? 1;
  const slots = queue.activeMax * hosts;
  const idle = Number.isNaN(busy)
    ? ''
    : `requests in them ${(busy * 100).toFixed(0)} % of the time`;
  return (
    <Answer
      question={question}
      figure={`${count(active)} of ${slots} held`}
      text={idle}
      tone={active >= slots && busy < 0.5 ? 'bad' : 'plain'}
    />
  );
}

function Waiters({ shown }: { shown: Shown }) {
  shown.seen.value;
  const { story, snapshot } = shown;
  const { connections, exchanges } = story;
  let waiting = 0;
  let oldest = 0;
  for (let at = 0; at < snapshot.count; at++) {
    if (snapshot.state[at] !== State.waiting) continue;
    const head = connections.headOf(snapshot.index[at] ?? 0);
    if (head !== snapshot.index[at]) continue;
    const exchange = exchanges.at(connections.id.get(head), snapshot.at);
    waiting += 1;
    oldest = Math.max(oldest, snapshot.at - exchanges.startedAt.get(exchange));
  }
  const { state, hasConnections } = shown.face.value;
  const isTold = state === 'running' || (shown.loaded.value && shown.trouble.value === null);
  const seen = hasConnections && isTold;
  return (
    <Answer
      question="Who waits?"
      figure={seen ? `${count(waiting)} requests unread` : 'unknown'}
      text={waiting > 0 ? `the longest for ${duration(oldest)}` : ''}
      tone={oldest > story.face.topology.starvedAfter ? 'bad' : 'plain'}
    />
  );
}

interface AnswerProps {
  readonly question: string;
  readonly figure: string;
  readonly text: string;
  readonly tone?: 'plain' | 'bad';
}

function Answer({ question, figure, text, tone = 'plain' }: AnswerProps) {
  return (
    <div class={`answer ${tone}`}>
      <dt>{question}</dt>
      <dd>
        <strong>{figure}</strong> <span>{text}</span>
      </dd>
    </div>
  );
}
