/** Two recordings side by side, at the same time since their loads began. */
import { useSignalEffect } from '@preact/signals';
import type { Summary } from '../../src/model/summary.ts';
import { short } from '../format.ts';
import type { Shown } from '../model.ts';
import { Pipeline } from '../pipeline/pipeline.tsx';

export function Compare({ shown, other }: { shown: Shown; other: Shown }) {
  useSignalEffect(() => {
    other.player.now.value = Math.min(shown.player.now.value, other.player.until.value);
    other.player.playing.value = shown.player.playing.value;
    other.player.speed.value = shown.player.speed.value;
  });
  const [one, two] = [shown.face.value, other.face.value];
  return (
    <div>
      <h2>{two.name}, at the same time</h2>
      <div class="stage">
        <Pipeline shown={other} label={`Connections of ${two.name}`} />
      </div>
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th scope="col">over the whole run</th>
              <th scope="col">{one.name}</th>
              <th scope="col">{two.name}</th>
            </tr>
          </thead>
          <tbody>
            {rowsOf(one.summary, two.summary).map(([name, here, there]) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td>{figure(here)}</td>
                <td>{figure(there)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}

type Measured = number | null;

function figure(value: Measured): string {
  return value === null ? 'unknown' : short(value);
}

function rowsOf(one: Summary | null, two: Summary | null): [string, Measured, Measured][] {
  if (one === null || two === null) return [];
  const rows: [string, Measured, Measured][] = [];
  for (const clients of one.clients) {
    const other = two.clients.find((candidate) => candidate.name === clients.name);
    if (other === undefined) continue;
    const add = (name: string, of: (summary: typeof clients) => Measured): void => {
      rows.push([`${clients.name}: ${name}`, of(clients), of(other)]);
    };
    add('served', (summary) => summary.served);
    add('starved', (summary) => summary.starved);
    add('good answers a second', (summary) => summary.goodputPerSecond);
    add('answers within, p99, ms', (summary) => summary.latencyMs?.p99 ?? null);
  }
  for (const queue of one.queues) {
    const other = two.queues.find((candidate) => candidate.name === queue.name);
    if (other === undefined) continue;
    rows.push([`${queue.name}: most held at once`, queue.heldMax, other.heldMax]);
    rows.push([
      `${queue.name}: seconds of slots hoarded`,
      queue.hoardedSlotSeconds,
      other.hoardedSlotSeconds,
    ]);
  }
  for (const link of one.links) {
    const other = two.links.find((candidate) => candidate.name === link.name);
    if (other === undefined || link.name.includes('#')) continue;
    rows.push([`${link.name.replace('->', ' → ')}: connections opened`, link.opened, other.opened]);
  }
  return rows;
}
