/** The three questions of an incident, answered for the time that is looked at. */

import { State } from './data/snapshot.ts';
import { count, duration } from './format.ts';
import type { Shown } from './model.ts';

export function Answers({ shown }: { shown: Shown }) {
  shown.player.slow.value;
  shown.version.value;
  return (
    <dl class="answers">
      <Multiply shown={shown} />
      <Holders shown={shown} />
      <Waiters shown={shown} />
    </dl>
  );
}

/** Which link opens the most connections for each that clients open. */
function Multiply({ shown }: { shown: Shown }) {
  const { story, player } = shown;
  const second = player.second.value;
  const found = story.links.map((link) => {
    const scope = `link:${link.name}`;
    return { link, ...inTenSeconds(shown, scope, second) };
  });
  const clients = new Set(
    story.face.topology.hops.filter((hop) => hop.kind === 'clients').map((hop) => hop.name),
  );
  const inner = found.filter((one) => !clients.has(one.link.downstream) && one.opened > 0);
  const worst = inner.sort((x, y) => y.opened - x.opened)[0];
  if (worst === undefined) {
    return <Answer question="Where do connections multiply?" figure="nowhere now" text="" />;
  }
  const { link, opened, exchanges } = worst;
  const per = exchanges / opened;
  return (
    <Answer
      question="Where do connections multiply?"
      figure={`${link.downstream} → ${link.upstream}`}
      text={`${count(opened)} new in 10 s, ${per.toFixed(per < 10 ? 1 : 0)} requests on each`}
      tone={per < 20 ? 'bad' : 'plain'}
    />
  );
}

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
  const { story, player } = shown;
  const queue = story.face.topology.hops.find((hop) => hop.kind === 'connection-queue');
  const question = 'Who holds the slots?';
  if (queue?.kind !== 'connection-queue')
    return <Answer question={question} figure="no queue" text="there are no slots in this chain" />;
  const seconds = player.second.value;
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
  const seen = story.face.hasConnections;
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
