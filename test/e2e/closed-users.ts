/**
 * Closed users on `node:http`: a load that waterhammer's own code has no part in, to be sent
 * alike to a peer (HAProxy) and to a pipeline started with `--no-load`.
 */
import http from 'node:http';

export interface UsersOptions {
  readonly port: number;
  readonly users: number;
  readonly thinkMs: number;
  readonly seconds: number;
  readonly path?: string;
}

export interface UsersResult {
  /** Complete 200 answers, by user. */
  readonly answers: readonly number[];
  readonly errors: number;
  readonly served: number;
  /** Users that had a request out at the end and never got an answer. */
  readonly starved: number;
}

/** Each user has one keep-alive connection: answer, think, next request. */
export async function closedUsers(options: UsersOptions): Promise<UsersResult> {
  const { users, seconds } = options;
  const answers = new Array<number>(users).fill(0);
  let errors = 0;
  let over = false;
  const agents: http.Agent[] = [];
  const user = (index: number): void => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    agents.push(agent);
    const ask = (): void => {
      if (over) return;
      const request = http.get(
        { host: '127.0.0.1', port: options.port, path: options.path ?? '/items/1', agent },
        (response) => {
          response.resume();
          response.on('end', () => {
            if (over) return;
            answers[index] = (answers[index] ?? 0) + 1;
            setTimeout(ask, options.thinkMs);
          });
        },
      );
      request.on('error', () => {
        if (!over) errors += 1;
      });
    };
    ask();
  };
  for (let index = 0; index < users; index++) user(index);
  await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
  over = true;
  for (const agent of agents) agent.destroy();
  const served = answers.filter((count) => count > 0).length;
  return { answers, errors, served, starved: users - served };
}
