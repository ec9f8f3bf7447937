/** A client's requests as assumed and as they were, side by side. */
import { useSignal } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import { buildSequence } from '../../src/report/diagram/build.ts';
import { mermaid } from '../../src/report/diagram/mermaid.ts';
import { plantuml } from '../../src/report/diagram/plantuml.ts';
import { type SequenceModel, titleOf } from '../../src/report/diagram/sequence.ts';
import { sequenceSvg } from '../../src/report/diagram/svg.ts';
import { download, fileName } from '../download.ts';
import type { Shown } from '../model.ts';
import { sequenceInput } from './client-story.ts';

const REQUESTS_MAX = 20;

export function Sequence({ shown }: { shown: Shown }) {
  const group = useSignal(0);
  const client = useSignal(1);
  const first = useSignal(1);
  const last = useSignal(3);
  const groups = shown.face.value.topology.hops.filter((hop) => hop.kind === 'clients');
  // A run that goes on would redraw them twice a second: by the second is enough.
  shown.loaded.value;
  shown.player.second.value;
  const models = modelsOf(shown, group.value, client.value, [first.value, last.value]);
  const name = fileName(
    shown.face.value.name,
    groups[group.value]?.name ?? '',
    String(client.value),
  );
  const number = (signal: typeof first, words: string, least: number) => (
    <label>
      {words}{' '}
      <input
        type="number"
        min={least}
        value={signal.value}
        size={5}
        onChange={(event) => {
          signal.value = Math.max(least, Math.round(Number(event.currentTarget.value)));
        }}
      />
    </label>
  );
  return (
    <div class="sequence">
      <form onSubmit={(event) => event.preventDefault()}>
        {groups.length > 1 && (
          <select
            aria-label="clients"
            value={String(group.value)}
            onChange={(event) => {
              group.value = Number(event.currentTarget.value);
            }}
          >
            {groups.map((hop, at) => (
              <option key={hop.name} value={String(at)}>
                {hop.name}
              </option>
            ))}
          </select>
        )}
        {number(client, 'client', 1)}
        {number(first, 'requests', 1)}
        {number(last, 'to', 1)}
        {typeof models !== 'string' && <Exports models={models} name={name} />}
      </form>
      {typeof models === 'string' ? (
        <p class="empty">{models}</p>
      ) : (
        <div class="diagrams">
          {models.map((model) => (
            <Picture key={titleOf(model)} model={model} />
          ))}
        </div>
      )}
    </div>
  );
}

/** Or why there are none. */
function modelsOf(
  { story }: Shown,
  group: number,
  client: number,
  [from, to]: readonly [number, number],
): SequenceModel[] | string {
  try {
    const input = sequenceInput(story, group, client);
    const requests = [from, Math.min(Math.max(to, from), from + REQUESTS_MAX - 1)] as const;
    return (['assumed', 'actual'] as const).map((which) =>
      buildSequence(input, { which, requests }),
    );
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : String(thrown);
  }
}

function Picture({ model }: { model: SequenceModel }) {
  const text = sequenceSvg([model]);
  const [address, setAddress] = useState('');
  useEffect(() => {
    const made = URL.createObjectURL(new Blob([text], { type: 'image/svg+xml' }));
    setAddress(made);
    return () => URL.revokeObjectURL(made);
  }, [text]);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    <figure tabIndex={0}>{address !== '' && <img src={address} alt={titleOf(model)} />}</figure>
  );
}

function Exports({ models, name }: { models: readonly SequenceModel[]; name: string }) {
  const save = (ending: string, text: string): void =>
    download(`${name}.${ending}`, new Blob([text]));
  const fenced = (): string =>
    models.map((model) => `\`\`\`mermaid\n${mermaid(model)}\`\`\`\n`).join('\n');
  return (
    <span class="exports">
      <button type="button" onClick={() => save('puml', models.map(plantuml).join('\n'))}>
        PlantUML
      </button>
      <button type="button" onClick={() => save('md', fenced())}>
        Mermaid
      </button>
      <button type="button" onClick={() => save('svg', sequenceSvg(models))}>
        SVG
      </button>
      <button type="button" onClick={() => void savePng(sequenceSvg(models), name)}>
        PNG
      </button>
    </span>
  );
}

async function savePng(svg: string, name: string): Promise<void> {
  const address = URL.createObjectURL(new Blob([svg], { type: 'image/svg+xml' }));
  const image = new Image();
  image.src = address;
  await image.decode();
  const canvas = document.createElement('canvas');
  canvas.width = image.naturalWidth * 2;
  canvas.height = image.naturalHeight * 2;
  const context = canvas.getContext('2d');
  if (context === null) return;
  context.fillStyle = matchMedia('(prefers-color-scheme: dark)').matches ? '#151c24' : '#ffffff';
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  URL.revokeObjectURL(address);
  canvas.toBlob((blob) => {
    if (blob !== null) download(`${name}.png`, blob);
  });
}
