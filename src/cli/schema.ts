/** `waterhammer schema`: the JSON Schema of topology documents. */
import { jsonSchema } from '../topology/index.ts';
import { ExitCode } from './exit-code.ts';

export function schema(): Promise<number> {
  process.stdout.write(`${JSON.stringify(jsonSchema(), null, 2)}\n`);
  return Promise.resolve(ExitCode.done);
}
