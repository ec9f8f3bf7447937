/** Dark or light: as the system has it, until somebody chooses. */
import { useSignal } from '@preact/signals';

export function ThemeButton() {
  const dark = useSignal(matchMedia('(prefers-color-scheme: dark)').matches);
  const toggle = (): void => {
    dark.value = !dark.value;
    document.documentElement.dataset.theme = dark.value ? 'dark' : 'light';
    document.dispatchEvent(new Event('theme'));
  };
  return (
    <button type="button" class="theme" aria-label="dark or light" onClick={toggle}>
      {dark.value ? '☀' : '☾'}
    </button>
  );
}
