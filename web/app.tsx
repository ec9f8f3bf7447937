/** The page: questions, the pipeline, and what lies under it in tabs. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { Answers } from './answers.tsx';
import { ConnectionCard } from './connection-card.tsx';
import { fetchRuns } from './data/load.ts';
import { clock, count } from './format.ts';
import { listenToKeys } from './keys.ts';
import { Shown } from './model.ts';
import { Pipeline } from './pipeline/pipeline.tsx';
import { Tabs } from './tabs/tabs.tsx';
import { ThemeButton } from './theme.tsx';
import { Transport } from './transport.tsx';

export function App() {
  const runs = useSignal<readonly Shown[]>([]);
  const trouble = useSignal<string | null>(null);
  useEffect(() => {
    fetchRuns().then(
      (faces) => {
        runs.value = faces.map((face, number) => new Shown(number, face));
        for (const shown of runs.value) void shown.load();
      },
      (thrown: unknown) => {
        trouble.value = thrown instanceof Error ? thrown.message : String(thrown);
      },
    );
  }, [runs, trouble]);
  const [first] = runs.value;
  if (trouble.value !== null) return <p class="trouble">{trouble.value}</p>;
  if (first === undefined) return <p class="trouble">…</p>;
  return <Page shown={first} others={runs.value.slice(1)} />;
}

function Page({ shown, others }: { shown: Shown; others: readonly Shown[] }) {
  useEffect(() => listenToKeys(shown.player), [shown]);
  useEffect(() => {
    let last = 0;
    let due = requestAnimationFrame(function frame(at: number): void {
      if (last > 0) shown.player.tick(Math.min(at - last, 250));
      last = at;
      due = requestAnimationFrame(frame);
    });
    return () => cancelAnimationFrame(due);
  }, [shown]);
  return (
    <>
      <Header shown={shown} />
      <main>
        <Answers shown={shown} />
        <section aria-label="pipeline" class="stage">
          <Pipeline shown={shown} label={labelOf(shown)} />
          <ConnectionCard shown={shown} />
        </section>
        <Tabs shown={shown} others={others} />
      </main>
      <Transport shown={shown} />
    </>
  );
}

function Header({ shown }: { shown: Shown }) {
  const face = shown.face.value;
  const live = face.state === 'running';
  const kind = { live: 'real sockets', sim: 'simulated', capture: 'captured' }[face.engine];
  return (
    <header>
      <h1>{face.name}</h1>
      <p>
        {live && <span class="dot" />}
        {live ? 'running' : 'recorded'}, {kind}
        <Progress shown={shown} />
        {face.oneClientIn > 1 && `, requests of one client in ${face.oneClientIn}`}
        {shown.trouble.value !== null && <span class="bad"> {shown.trouble.value}</span>}
      </p>
      <ThemeButton />
    </header>
  );
}

/** What is not here yet must not look as if it had not been. */
function Progress({ shown }: { shown: Shown }) {
  const { state, hasConnections, requestsFrom } = shown.face.value;
  if (state === 'running') {
    if (requestsFrom <= shown.player.now.value || !hasConnections) return null;
    return <>, requests are known from {clock(requestsFrom)} on</>;
  }
  if (shown.loaded.value) return <span class="loaded" />;
  if (!hasConnections) return <span class="loading">loading …</span>;
  shown.charted.value;
  const { exchanges } = shown.story;
  return (
    <span class="loading" role="status">
      {exchanges.count === 0
        ? 'loading connections …'
        : `loading requests … ${count(exchanges.count)}`}
    </span>
  );
}

function labelOf({ story }: Shown): string {
  const names = story.face.topology.hops.map((hop) => hop.name).join(', ');
  return `Connections between ${names}. Arrow keys choose a connection, plus and minus open bundles.`;
}
