/** What the run shows, gravest first; pointing at one highlights the seconds and links meant. */
import type { Finding } from '../../src/model/summary.ts';
import type { Highlight, Shown } from '../model.ts';

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
  const meant = meantBy(shown, finding);
  const on = shown.highlight.value !== null && shown.highlight.value.finding === finding;
  const toggle = (): void => {
    shown.highlight.value = on ? null : meant;
    if (!on) shown.player.seek((meant.from + meant.to) / 2);
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

/** The seconds in which what a finding says was so; the whole run where it does not say. */
function meantBy({ story }: Shown, finding: Finding): Highlight {
  const { series } = story;
  const measure = MEASURES[finding.kind];
  const whole = { finding, from: 0, to: story.until, hop: finding.hop };
  const scopes = measure === undefined ? [] : series.scopes(measure.scope);
  const seconds: number[] = [];
  for (let index = 0; index < series.length; index++) {
    const second = series.secondOf(index);
    if (second < 0 || measure === undefined) continue;
    if (scopes.some((scope) => measure.holds(series.at(scope, measure.measure, second))))
      seconds.push(second);
  }
  const [first] = seconds;
  const last = seconds.at(-1);
  if (first === undefined || last === undefined) return whole;
  return { ...whole, from: first * 1e6, to: (last + series.step) * 1e6 };
}

interface Meant {
  readonly scope: string;
  readonly measure: string;
  readonly holds: (value: number) => boolean;
}

const above = (least: number) => (value: number) => value > least;

const MEASURES: Readonly<Record<string, Meant>> = {
  'slot-hoarding': { scope: 'hop:', measure: 'hoardedSlotSeconds', holds: above(0.5) },
  'invisible-starvation': { scope: 'hop:', measure: 'waiting', holds: above(0) },
  'retry-amplification': { scope: 'clients:', measure: 'retries', holds: above(0) },
};
