/** `waterhammer control`: sends one action to a running run and prints its answer. */
import { readFile } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { CONTROL_FILE, type ControlReply } from '../live/supervisor/control-server.ts';
import { ExitCode } from './exit-code.ts';

export async function control(
  recording: string,
  action: string,
  rest: readonly string[],
): Promise<number> {
  const text = await readFile(path.join(recording, CONTROL_FILE), 'utf8').catch(() => null);
  if (text === null) {
    process.stderr.write(`waterhammer: error: no run is going on in ${recording}\n`);
    return ExitCode.badInput;
  }
  const announced: { socket: string } = JSON.parse(text);
  const reply = await ask(announced.socket, { action, arguments: rest });
  (reply.ok ? process.stdout : process.stderr).write(`${reply.text}\n`);
  return reply.ok ? ExitCode.done : ExitCode.badInput;
}

function ask(socketPath: string, request: unknown): Promise<ControlReply> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(socketPath);
    socket.on('error', (error: NodeJS.ErrnoException) =>
      reject(
        Object.assign(new Error(`the run does not answer: ${error.message}`), { code: 'no-run' }),
      ),
    );
    socket.on('connect', () => socket.write(`${JSON.stringify(request)}\n`));
    createInterface({ input: socket }).once('line', (line) => {
      socket.end();
      resolve(JSON.parse(line) as ControlReply);
    });
    socket.on('close', () => resolve({ ok: false, text: 'the run ended before it answered' }));
  });
}
