/** How busy apps and databases are: from events, by hand-made numbers. */
import { expect, test } from 'vitest';
import { EventKind } from '../model/event.ts';
import { Script } from './test-support.ts';

const MS = 1_000;
/** The test topology's. */
const SERVERS = 4;

function scriptOf(): { script: Script; tell: (...told: [number, number, number?]) => void } {
  const script = new Script({ clients: 8 });
  const database = script.instance('db');
  const tell = (serving: number, waiting: number, late = 0): void =>
    script.emit(database, EventKind.station, 0, 0, serving, waiting, late);
  return { script, tell };
}

const row = (result: ReturnType<Script['measure']>, measure: string, second: number) =>
  result.series.find(
    (one) => one.scope === 'hop:db' && one.measure === measure && one.second === second,
  )?.value;

test('utilisation, load and connections, per second and over the load', () => {
  const { script, tell } = scriptOf();
  script.at(0).connect('app->db');
  const second = script.at(500 * MS).connect('app->db');
  script.at(600 * MS);
  tell(1, 0);
  script.at(700 * MS);
  tell(2, 3);
  script.at(1_200 * MS);
  tell(0, 0);
  script.close(second.connector, 'idle_timeout');
  script.close(second.acceptor, 'peer_fin');
  script.at(2_000 * MS).strike();
  const result = script.measure();
  expect(result.summary.balanced).toBe(true);
  // 100 ms x 1 + 500 ms x 2 served, 500 ms x 3 waiting; 300 ms of the latter in second 0.
  expect(row(result, 'cpuUtilisation', 0)).toBeCloseTo((0.1 + 0.6) / SERVERS, 12);
  expect(row(result, 'dbLoad', 0)).toBeCloseTo(0.1 + 0.6 + 0.9, 12);
  expect(row(result, 'dbLoad', 1)).toBeCloseTo(0.4 + 0.6, 12);
  expect(row(result, 'databaseConnections', 0)).toBe(2);
  expect(row(result, 'databaseConnections', 1)).toBe(1);
  const station = result.summary.stations.find((one) => one.name === 'db');
  expect(station?.cpuUtilisation).toBeCloseTo(1.1 / SERVERS / 2, 12);
  expect(station).toMatchObject({ load: 1.3, waiting: 0.75, connectionsMax: 2 });
});

test('what is told late was over before; what comes after the load does not count', () => {
  const { script, tell } = scriptOf();
  script.at(0);
  tell(1, 1);
  // The first was over 2 ms ago and the second has its server since then; then nobody has.
  script.at(12 * MS);
  tell(1, 0, 2 * MS);
  script.at(23 * MS);
  tell(0, 0, 3 * MS);
  script.at(900 * MS);
  tell(1, 0);
  script.at(1_000 * MS).strike();
  const station = script.measure().summary.stations.find((one) => one.name === 'db');
  expect(station?.load).toBeCloseTo(0.02 + 0.01 + 0.1, 12);
  expect(station?.waiting).toBeCloseTo(0.01, 12);
});

test('of a foreign database only the connections are known', () => {
  const script = new Script({ clients: 8, mariadb: true });
  script.at(0).connect('app->db');
  script.at(1_000 * MS).strike();
  const result = script.measure();
  const station = result.summary.stations.find((one) => one.name === 'db');
  expect(station).toMatchObject({ cpuUtilisation: null, load: null, connectionsMax: 1 });
  expect(row(result, 'cpuUtilisation', 0)).toBeNull();
  expect(row(result, 'dbLoad', 0)).toBeNull();
  expect(row(result, 'databaseConnections', 0)).toBe(1);
});
