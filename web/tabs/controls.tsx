/** Changes and faults while a run goes on. Each becomes a mark of the run, and of its recording. */
import { useSignal } from '@preact/signals';
import { sendControl } from '../data/load.ts';
import type { Shown } from '../model.ts';

/** Settings whose values are durations: µs in the model, milliseconds on the page. */
const DURATION = /(Timeout|After|idle|acquire|evict)$/i;
const CHOICES: Readonly<Record<string, readonly string[]>> = {
  reclaim: ['none', 'idle-yield'],
  order: ['fifo', 'lifo'],
  'pool.reuse': ['lifo', 'fifo', 'random'],
};

export function Controls({ shown }: { shown: Shown }) {
  const { changeable, controllable } = shown.face.value;
  const reply = useSignal<{ ok: boolean; text: string } | null>(null);
  const send = async (action: string, words: readonly string[]): Promise<void> => {
    reply.value = await sendControl(shown.number, action, words).catch(() => ({
      ok: false,
      text: 'the run does not answer',
    }));
  };
  if (!controllable) return <p class="empty">The run is over: nothing can be changed.</p>;
  const hops = [...new Set(changeable.map((one) => one.hop))];
  return (
    <div>
      <p class={`reply ${reply.value?.ok === false ? 'bad' : 'hint'}`} role="status">
        {reply.value?.text ?? 'Every change is marked on the time line.'}
      </p>
      <div class="controls">
        {hops.map((hop) => (
          <fieldset key={hop}>
            <legend>{hop}</legend>
            {changeable
              .filter((one) => one.hop === hop)
              .map(({ setting, value }) => (
                <Setting
                  key={setting}
                  hop={hop}
                  name={setting}
                  value={value}
                  onSet={(text) => void send('set', [`${hop}.${setting}=${text}`])}
                />
              ))}
          </fieldset>
        ))}
        <Faults shown={shown} send={(action, words) => void send(action, words)} />
      </div>
    </div>
  );
}

interface SettingProps {
  readonly hop: string;
  readonly name: string;
  readonly value: number | string | boolean | null;
  readonly onSet: (text: string) => void;
}

function Setting({ hop, name, value, onSet }: SettingProps) {
  const isDuration = DURATION.test(name) && typeof value === 'number';
  const text = isDuration ? durationText(value) : String(value ?? '');
  const choices = CHOICES[name];
  const label = `${name} of ${hop}`;
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const given = new FormData(event.currentTarget as HTMLFormElement).get('value');
    if (typeof given === 'string' && given !== '') onSet(given);
  };
  return (
    <form class="setting" onSubmit={submit}>
      <span>{name}</span>
      {choices === undefined ? (
        <input aria-label={label} name="value" defaultValue={text} size={9} autoComplete="off" />
      ) : (
        <select aria-label={label} name="value" defaultValue={text}>
          {choices.map((one) => (
            <option key={one}>{one}</option>
          ))}
        </select>
      )}
      <button type="submit" aria-label={`set ${label}`}>
        set
      </button>
    </form>
  );
}

/** As topologies write it: seconds where they are whole. */
function durationText(micros: number): string {
  return micros >= 1e6 && micros % 1e6 === 0 ? `${micros / 1e6}s` : `${micros / 1_000}ms`;
}

function Faults({
  shown,
  send,
}: {
  shown: Shown;
  send: (a: string, w: readonly string[]) => void;
}) {
  const { hops, hosts } = shown.face.value.topology;
  const named = (kind: string): string | undefined => hops.find((hop) => hop.kind === kind)?.name;
  const faults: [string, string, string[]][] = [];
  const slow = named('database') ?? named('app');
  if (slow !== undefined) {
    faults.push([`stall ${slow} for 5 s`, 'stall', [`hop=${slow}`, 'lasts=5s']]);
    faults.push([`${slow} 5 x slower for 10 s`, 'slow', [`hop=${slow}`, 'factor=5', 'lasts=10s']]);
  }
  const gateway = named('gateway');
  if (gateway !== undefined)
    faults.push([`replace a node of ${gateway}`, 'replace-nodes', [`hop=${gateway}`, 'count=1']]);
  const queue = named('connection-queue') ?? named('web-server');
  if (queue !== undefined)
    faults.push([
      `reset half of what ${queue} has`,
      'reset-connections',
      [`hop=${queue}`, 'share=0.5'],
    ]);
  const host = hosts[0];
  if (host !== undefined)
    faults.push([
      `${host.name} 0 down for 5 s`,
      'host-down',
      [`hosts=${host.name}`, 'replica=0', 'lasts=5s'],
    ]);
  return (
    <fieldset>
      <legend>faults</legend>
      {faults.map(([words, action, rest]) => (
        <button key={words} type="button" onClick={() => send(action, rest)}>
          {words}
        </button>
      ))}
    </fieldset>
  );
}
