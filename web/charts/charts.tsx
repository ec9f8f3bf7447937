/** All charts of a run, one under the other's time. */
import { useComputed, useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useMemo } from 'preact/hooks';
import 'uplot/dist/uPlot.min.css';
import type { Shown } from '../model.ts';
import type { Chart } from './chart.ts';
import { ChartView } from './chart-view.tsx';
import { CloudWatchCharts } from './cloudwatch.ts';
import { definitionsOf } from './definitions.ts';
import { heatOf } from './heat.ts';
import { dataOf } from './windows.ts';
import { Zoom } from './zoom.ts';

const MINUTE = 60;

export function Charts({ shown }: { shown: Shown }) {
  const { story } = shown;
  const seconds = useSignal(story.series.step);
  const logarithmic = useSignal(false);
  const zoom = useMemo(() => new Zoom(), []);
  const cloudWatch = useComputed(() => new CloudWatchCharts(story, seconds.value));
  const metrics = useComputed(() => {
    shown.charted.value;
    return cloudWatch.value.charts();
  });
  const others = useComputed(() => {
    shown.charted.value;
    const until = story.until / 1e6;
    return definitionsOf(story).map(
      ({ lines, ...chart }): Chart => ({
        ...chart,
        lines: lines.map(({ label }) => label),
        data: dataOf(lines, story.series, seconds.value, until),
      }),
    );
  });
  const heat = useComputed(() => {
    shown.charted.value;
    return story.exchanges.count > 0 ? heatOf(story, seconds.value) : null;
  });
  const draw = (chart: Chart) => (
    <ChartView
      key={`${chart.id} ${seconds.value}`}
      shown={shown}
      chart={chart}
      heat={chart.id === 'latency' ? heat.value : null}
      logarithmic={logarithmic.value}
      zoom={zoom}
    />
  );
  return (
    <div>
      <div class="tools">
        <fieldset>
          <legend>one point stands for</legend>
          {[...new Set([story.series.step, MINUTE])].map((one) => (
            <label key={one}>
              <input
                type="radio"
                name="window"
                checked={seconds.value === one}
                onChange={() => {
                  seconds.value = one;
                }}
              />
              {one === MINUTE ? '1 minute, as CloudWatch' : `${one} second${one > 1 ? 's' : ''}`}
            </label>
          ))}
        </fieldset>
        <label>
          <input
            type="checkbox"
            checked={logarithmic.value}
            onChange={() => {
              logarithmic.value = !logarithmic.value;
            }}
          />
          logarithmic
        </label>
        <button type="button" onClick={() => zoom.reset()}>
          whole time
        </button>
        <span class="hint">drag to zoom, click to go there</span>
      </div>
      <Section title="What CloudWatch shows" charts={metrics.value} draw={draw} />
      <Section title="What no metric shows" charts={others.value} draw={draw} />
    </div>
  );
}

interface SectionProps {
  readonly title: string;
  readonly charts: readonly Chart[];
  readonly draw: (chart: Chart) => ComponentChildren;
}

function Section({ title, charts, draw }: SectionProps) {
  if (charts.length === 0) return null;
  const isEmpty = charts.every(({ data }) => data[0].length === 0);
  return (
    <section>
      <h2>{title}</h2>
      {isEmpty ? (
        <p class="empty">No point is whole yet.</p>
      ) : (
        <div class="charts">{charts.map(draw)}</div>
      )}
    </section>
  );
}
