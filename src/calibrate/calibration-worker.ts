/** A process that simulates windows, one after the other, until its parent lets go of it. */
import { simulateWindow, type Task } from './simulate-window.ts';

process.on('message', (task: Task) => {
  const result = simulateWindow(task);
  // Nobody listens any more when the parent was killed meanwhile.
  if (process.connected) process.send?.(result, () => {});
});
process.on('disconnect', () => process.exit(0));
// A Ctrl-C reaches the whole group of processes; the parent decides what it means.
process.on('SIGINT', () => {});
