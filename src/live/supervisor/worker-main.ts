/**
 * Entry of a worker process: takes the supervisor's messages and drives a `Worker`. It ends when
 * the supervisor's channel closes, for whatever reason, so that no orphan stays behind.
 */
import type { FromWorker, ToWorker } from './messages.ts';
import type { SendHandle } from './process-parking.ts';
import { Worker } from './worker.ts';

function send(message: FromWorker): void {
  if (process.connected) process.send?.(message);
}

const sendHandle: SendHandle = (message, handle, sent) => {
  // node's types know no bare handles; node does.
  if (process.connected && process.send !== undefined) {
    Reflect.apply(process.send, process, [message, handle, {}, sent]);
  }
};

let worker: Worker | null = null;

process.on('disconnect', () => process.exit(0));
// The terminal sends Ctrl-C to the whole process group; the supervisor decides what it means.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});

process.on('message', (message: ToWorker, handle: unknown) => {
  if (message.type === 'init') {
    worker = new Worker(message.init, send, sendHandle);
    send({ type: 'ready' });
    return;
  }
  worker?.receive(message, handle);
});
