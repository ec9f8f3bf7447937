/** A report of a recording, and of the one before a cure beside it. */
import { RecordingError } from '../recording/error.ts';
import { readExchanges } from '../recording/recording.ts';
import { buildSequence } from './diagram/build.ts';
import { readSequenceInput } from './diagram/diagram-text.ts';
import { sequenceSvg } from './diagram/svg.ts';
import { WorstRequest } from './diagram/worst-request.ts';
import { readScene } from './film/read-scene.ts';
import { pipelineSvg } from './film/svg-brush.ts';
import { type PageInput, reportPage } from './html/page.ts';
import { clock, milliseconds } from './numbers.ts';
import { LatencyHeat } from './plot/latency-heat.ts';
import type { PlotLine, PlotSpec } from './plot/plot-spec.ts';
import { plotsOf } from './plot/plots-of.ts';
import { type RunData, readRunData } from './run-data.ts';

/** Lines of the run before that one plot takes, so that it stays readable. */
const BEFORE_LINES_MAX = 2;

export interface ReportOptions {
  /** A recording to compare with; null = none. */
  readonly against: string | null;
}

/** HTML. Throws a RecordingError. */
export async function reportHtml(folder: string, options: ReportOptions): Promise<string> {
  const run = await readRunData(folder);
  const before = options.against === null ? null : await readRunData(options.against);
  const plots = plotsOf(run);
  const heat = new LatencyHeat(run.info);
  const diagrams = await diagramsOf(folder, run, heat);
  return reportPage({
    run,
    before,
    plots: before === null ? plots : withBefore(plots, plotsOf(before)),
    pipeline: await pipelineOf(folder),
    heat: heat.svg(),
    diagrams,
  });
}

function withBefore(plots: readonly PlotSpec[], before: readonly PlotSpec[]): PlotSpec[] {
  return plots.map((plot) => {
    const other = before.find(({ title }) => title === plot.title);
    const lines = (other?.lines ?? [])
      .filter((line) => line.isOneOfMany !== true)
      .slice(0, BEFORE_LINES_MAX)
      .map((line): PlotLine => {
        const label = `before: ${line.label}`;
        return { ...line, label, tone: 'idle', isBefore: true };
      });
    return other?.secondsPerPoint === plot.secondsPerPoint
      ? { ...plot, scale: other.scale, lines: [...plot.lines, ...lines] }
      : plot;
  });
}

/** null where it cannot be drawn: only series were recorded, or too many requests. */
async function pipelineOf(folder: string): Promise<PageInput['pipeline']> {
  try {
    const { scene, worstSecond: second } = await readScene(folder);
    return { picture: pipelineSvg(scene, second), second };
  } catch (thrown) {
    if (thrown instanceof RecordingError) return null;
    throw thrown;
  }
}

async function diagramsOf(
  folder: string,
  { info, tables }: RunData,
  heat: LatencyHeat,
): Promise<{ text: string; pictures: string[] }> {
  if (!tables.includes('exchanges') || !tables.includes('connections')) {
    const text = 'Only series were recorded, so that no request can be followed on its way.';
    return { text, pictures: [] };
  }
  const until = info.censusAt ?? info.loadEnd ?? info.loadStart;
  const worst = new WorstRequest(info.topology, info.plan, until);
  for await (const rows of readExchanges(folder)) {
    worst.take(rows);
    heat.take(rows);
  }
  const chosen = worst.result();
  if (chosen === null) return { text: 'There was no request to follow.', pictures: [] };
  const input = await readSequenceInput(folder, chosen.client);
  const pictures = (['assumed', 'actual'] as const).map((which) =>
    sequenceSvg([buildSequence(input, { which, requests: chosen.requests })]),
  );
  const { took, startedAt, client } = chosen;
  const text =
    `The request that took longest, ${milliseconds(took / 1e3)}, was sent by client ${client} ` +
    `at ${clock((startedAt - info.loadStart) / 1e6)}: here with those before it, as one would ` +
    'assume it (one connection on every link) and as it was.';
  return { text, pictures };
}
