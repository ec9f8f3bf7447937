/** What lies under the pipeline. */
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { Charts } from '../charts/charts.tsx';
import type { Shown } from '../model.ts';
import { WhatIf } from '../what-if/what-if.tsx';
import { Compare } from './compare.tsx';
import { Controls } from './controls.tsx';
import { Findings } from './findings.tsx';
import { Ledger } from './ledger.tsx';
import { Sequence } from './sequence.tsx';

interface Tab {
  readonly name: string;
  readonly content: () => ComponentChildren;
}

export function Tabs({ shown, others }: { shown: Shown; others: readonly Shown[] }) {
  const tabs = tabsOf(shown, others);
  const chosen = useSignal(0);
  const move = (event: KeyboardEvent): void => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (by === undefined) return;
    chosen.value = (chosen.value + by + tabs.length) % tabs.length;
    const list = event.currentTarget as HTMLElement;
    list.querySelectorAll<HTMLElement>('[role=tab]')[chosen.value]?.focus();
    event.preventDefault();
  };
  const open = tabs[chosen.value] ?? tabs[0];
  return (
    <section class="tabs">
      <div role="tablist" aria-label="details" onKeyDown={move}>
        {tabs.map((tab, at) => (
          <button
            key={tab.name}
            type="button"
            role="tab"
            id={idOf(tab.name)}
            aria-selected={at === chosen.value}
            aria-controls="panel"
            tabIndex={at === chosen.value ? 0 : -1}
            onClick={() => {
              chosen.value = at;
            }}
          >
            {tab.name}
          </button>
        ))}
      </div>
      <div role="tabpanel" id="panel" aria-labelledby={idOf(open?.name ?? '')}>
        {open?.content()}
      </div>
    </section>
  );
}

function tabsOf(shown: Shown, others: readonly Shown[]): Tab[] {
  const [other] = others;
  const { controllable, hasConnections } = shown.face.value;
  const tabs: (Tab | false)[] = [
    { name: 'Findings', content: () => <Findings shown={shown} /> },
    other !== undefined && {
      name: 'Side by side',
      content: () => <Compare shown={shown} other={other} />,
    },
    { name: 'Charts', content: () => <Charts shown={shown} /> },
    controllable && { name: 'Controls', content: () => <Controls shown={shown} /> },
    hasConnections && { name: 'Ledger', content: () => <Ledger shown={shown} /> },
    hasConnections && { name: 'Sequence', content: () => <Sequence shown={shown} /> },
    { name: 'What if', content: () => <WhatIf shown={shown} /> },
  ];
  return tabs.filter((tab) => tab !== false);
}

function idOf(name: string): string {
  return `tab-${name.replaceAll(' ', '-')}`;
}
