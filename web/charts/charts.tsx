/** All charts of a run, one under the other's time. */
import { useComputed, useSignal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import 'uplot/dist/uPlot.min.css';
import type { Shown } from '../model.ts';
import { ChartView } from './chart-view.tsx';
import { chartsOf } from './definitions.ts';
import { heatOf } from './heat.ts';
import { dataOf } from './windows.ts';
import { Zoom } from './zoom.ts';

export function Charts({ shown }: { shown: Shown }) {
  const seconds = useSignal(Math.max(1, shown.story.series.step));
  const logarithmic = useSignal(false);
  const zoom = useMemo(() => new Zoom(), []);
  const drawn = useComputed(() => {
    shown.version.value;
    const { story } = shown;
    return chartsOf(story).map((chart) => ({
      chart,
      data: dataOf(chart, story.series, seconds.value, story.until / 1e6),
      heat:
        chart.id === 'latency' && story.exchanges.count > 0 ? heatOf(story, seconds.value) : null,
    }));
  });
  return (
    <div>
      <div class="tools">
        <fieldset>
          <legend>one point stands for</legend>
          {[1, 60].map((one) => (
            <label key={one}>
              <input
                type="radio"
                name="window"
                checked={seconds.value === one}
                disabled={one < shown.story.series.step}
                onChange={() => {
                  seconds.value = one;
                }}
              />
              {one === 1 ? '1 second' : '1 minute, as CloudWatch'}
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
      <div class="charts">
        {drawn.value.map(({ chart, data, heat }) => (
          <ChartView
            key={chart.id}
            shown={shown}
            chart={chart}
            data={data}
            heat={heat}
            logarithmic={logarithmic.value}
            zoom={zoom}
          />
        ))}
      </div>
    </div>
  );
}
