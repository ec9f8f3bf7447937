/** What the run shows, gravest first; pointing at one highlights the seconds and links meant. */
import type { Finding } from '../../src/model/summary.ts';
import { timeMeant } from '../data/meant.ts';
import { clock, plural } from '../format.ts';
import type { Shown } from '../model.ts';

export function Findings({ shown }: { shown: Shown }) {
  const { summary, state } = shown.face.value;
  if (summary === null) {
    return (
      <p class="empty">
        {state === 'running'
          ? 'Findings come when the run ends.'
          : 'The run was killed before findings were made.'}
      </p>
    );
  }
  if (summary.findings.length === 0) return <p class="empty">Nothing to report.</p>;
  return (
    <ul class="findings">
      {summary.findings.map((finding) => (
        <FindingCard key={`${finding.kind} ${finding.hop}`} shown={shown} finding={finding} />
      ))}
    </ul>
  );
}

function FindingCard({ shown, finding }: { shown: Shown; finding: Finding }) {
  const on = shown.highlight.value !== null && shown.highlight.value.finding === finding;
  const toggle = (): void => {
    if (on) {
      shown.highlight.value = null;
      return;
    }
    const meant = timeMeant(shown.story, finding);
    shown.highlight.value = { finding, ...meant };
    shown.player.playing.value = false;
    shown.player.seek(meant.worst);
  };
  return (
    <li class={`finding ${finding.severity}${on ? ' on' : ''}`}>
      <p class="kind">
        {finding.kind.replaceAll('-', ' ')}
        {finding.hop !== null && ` at ${finding.hop}`}
      </p>
      <p class="title">{finding.title}</p>
      <p class="remedy">
        <b>Cure</b> {finding.remedy}
      </p>
      <button type="button" aria-pressed={on} onClick={toggle}>
        {on ? 'shown above' : 'show me'}
      </button>
      {on && <MeantNow shown={shown} />}
      <details>
        <summary>evidence</summary>
        <dl>
          {Object.entries(finding.evidence).map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{Array.isArray(value) ? value.join(', ') : String(value)}</dd>
            </div>
          ))}
        </dl>
      </details>
    </li>
  );
}

/** What the highlight stands for at the time that is looked at. */
function MeantNow({ shown }: { shown: Shown }) {
  shown.seen.value;
  const { highlight, meant, snapshot } = shown;
  const time = highlight.value;
  if (time === null) return null;
  let connections = 0;
  for (let at = 0; at < snapshot.count; at++) connections += meant[at] ?? 0;
  return (
    <p class="meant-now" role="status">
      {connections > 0 && <b>{plural(connections, 'connection')} now, </b>}
      from {clock(time.from)} to {clock(time.to)}, worst at {clock(time.worst)}
    </p>
  );
}
