/** Random faults: what they name exists and is of the right kind, and so is each one's stream. */
import { FAULT_SETTINGS } from './catalog/faults.ts';
import { checkAction } from './check-timeline.ts';
import type { Outline, Report } from './outline.ts';
import { entry, list, text } from './raw.ts';

export function checkFaults(raw: unknown, outline: Outline, report: Report): void {
  const names = new Set<string>();
  for (const [index, one] of list(entry(raw, 'faults')).entries()) {
    const path = ['faults', index];
    const action = text(entry(one, 'action')) ?? '';
    if (!Object.hasOwn(FAULT_SETTINGS, action)) continue;
    checkAction(one, action, path, outline, report);
    const name = faultName(one);
    if (names.has(name)) {
      const place = entry(one, 'name') === undefined ? path : [...path, 'name'];
      const hint = `give one of them another name, such as name: ${name}-2`;
      report(place, `two faults are named "${name}", and would happen at the same times`, hint);
    }
    names.add(name);
  }
}

/** Its name, or the one that it has by default. */
export function faultName(one: unknown): string {
  const hit = text(entry(one, 'hop')) ?? text(entry(one, 'hosts')) ?? '';
  return text(entry(one, 'name')) ?? `${text(entry(one, 'action')) ?? ''}-${hit}`;
}
