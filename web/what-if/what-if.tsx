/** Sliders over the simulator: a minute of the same chain, as it is and as it might be. */
import { useSignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import type { Topology } from '../../src/model/topology.ts';
import { duration, short } from '../format.ts';
import type { Shown } from '../model.ts';
import { KNOBS, type Knob, minuteOf, reclaims, withReclaim } from './knobs.ts';
import type { Outcome } from './outcome.ts';
import { type Lived, Simulator } from './simulator.ts';

export function WhatIf({ shown }: { shown: Shown }) {
  const asItIs = useMemo(() => minuteOf(shown.story.face.topology), [shown]);
  const simulator = useMemo(() => new Simulator(), []);
  const changed = useSignal<Topology>(asItIs);
  const before = useSignal<Lived | null>(null);
  const after = useSignal<Lived | null>(null);
  const { seed } = shown.story.face;
  useEffect(() => {
    simulator.live(asItIs, seed, (lived) => {
      before.value = lived;
      after.value = lived;
    });
    return () => simulator.stop();
  }, [asItIs, simulator, seed, before, after]);
  const turn = (topology: Topology): void => {
    changed.value = topology;
    // Nothing to compare with yet: that comes first.
    if (before.value === null) return;
    simulator.live(topology, seed, (lived) => {
      after.value = lived;
    });
  };
  const reclaim = reclaims(changed.value);
  return (
    <div class="what-if">
      <div class="knobs">
        <p class="hint">The first minute of the load, simulated anew at each turn.</p>
        {KNOBS.map((knob) => (
          <Slider key={knob.name} knob={knob} topology={changed.value} turn={turn} />
        ))}
        {reclaim !== null && (
          <label>
            <span>take idle slots back</span>
            <input
              type="checkbox"
              checked={reclaim}
              onChange={() => turn(withReclaim(changed.value, reclaim ? 'none' : 'idle-yield'))}
            />
          </label>
        )}
      </div>
      <Results before={before.value} after={after.value} />
    </div>
  );
}

interface SliderProps {
  readonly knob: Knob;
  readonly topology: Topology;
  readonly turn: (topology: Topology) => void;
}

/** From 1 to the most in equal ratios: what matters is twice as much, not one more. */
function Slider({ knob, topology, turn }: SliderProps) {
  const value = knob.get(topology);
  if (value === null) return null;
  return (
    <label>
      <span>{knob.name}</span>
      <input
        type="range"
        min={0}
        max={Math.log(knob.most)}
        step={0.01}
        value={Math.log(Math.max(value, 1))}
        aria-valuetext={`${Math.round(value)} ${knob.unit}`}
        onInput={(event) => {
          const turned = Math.round(Math.exp(Number(event.currentTarget.value)));
          turn(knob.set(topology, Math.max(1, turned)));
        }}
      />
      <output>
        {short(value)} {knob.unit}
      </output>
    </label>
  );
}

function Results({ before, after }: { before: Lived | null; after: Lived | null }) {
  if (before === null || after === null) return <p class="empty">simulating …</p>;
  const now = figuresOf(before.outcome);
  const then = new Map(figuresOf(after.outcome));
  return (
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">in this minute</th>
            <th scope="col">as it is</th>
            <th scope="col">as it might be</th>
          </tr>
        </thead>
        <tbody>
          {now.map(([name, value]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{value}</td>
              <td>
                <b>{then.get(name)}</b>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="hint simulated">{Math.round(after.milliseconds)} ms to simulate</p>
    </div>
  );
}

function figuresOf({ clients, queues, links }: Outcome): [string, string][] {
  const sum = (of: (one: Outcome['clients'][number]) => number): string =>
    short(clients.reduce((total, one) => total + of(one), 0));
  const worst = clients.reduce((most, one) => Math.max(most, one.latencyMs?.p99 ?? 0), 0);
  const rows: [string, string][] = [
    ['good answers', sum((one) => one.requests.ok)],
    ['429', sum((one) => one.requests.throttled429)],
    ['failed or 5xx', sum((one) => one.requests.failed + one.requests.serverErrors5xx)],
    ['answered within, p99', duration(worst * 1e3)],
    ['clients starved', sum((one) => one.starved ?? 0)],
  ];
  for (const { name, slotUtilisation, heldMax } of queues) {
    const busy = slotUtilisation === null ? 'unknown' : `${(slotUtilisation * 100).toFixed(0)} %`;
    rows.push([`${name}: slots busy`, busy], [`${name}: most held at once`, short(heldMax)]);
  }
  for (const { name, requestsPerNewConnection: per } of links) {
    if (name.includes('#')) continue;
    const requests = per === null ? 'none new' : short(per);
    rows.push([`${name.replace('->', ' → ')}: requests a connection`, requests]);
  }
  return rows;
}
