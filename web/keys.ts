/** Keys that work wherever nothing else takes them. */
import type { Player } from './player.ts';

export function listenToKeys(player: Player): () => void {
  const hear = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey || takesKeys(event.target)) return;
    const action = ACTIONS[event.key];
    if (action === undefined) return;
    action(player);
    event.preventDefault();
  };
  document.addEventListener('keydown', hear);
  return () => document.removeEventListener('keydown', hear);
}

const ACTIONS: Readonly<Record<string, (player: Player) => void>> = {
  ' ': (player) => player.toggle(),
  k: (player) => player.toggle(),
  ',': (player) => player.step(-100_000),
  '.': (player) => player.step(100_000),
  j: (player) => player.step(-1e6),
  l: (player) => player.step(1e6),
  Home: (player) => player.seek(0),
  End: (player) => player.seek(player.until.value),
  '<': (player) => player.faster(-1),
  '>': (player) => player.faster(1),
};

function takesKeys(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.matches('input:not([type=range]), select, textarea, button, summary, [role=tab]');
}
