/**
 * Several groups of users, each with a think time of its own, and open arrivals, at stations of
 * one server with exponential service: mean value analysis (Reiser and Lavenberg, Journal of the
 * ACM 27, 1980; open classes beside closed ones: Lavenberg 1983, section 3.5).
 *
 * Costs stations x the product of (users + 1) over groups.
 */
export interface ClassStation {
  /** Mean service per cycle of a user, seconds: of all groups the same. */
  readonly demand: number;
  /** Of its server, what open arrivals take. */
  readonly open: number;
}

export interface UserGroup {
  readonly users: number;
  readonly think: number;
}

export interface ClassTimes {
  /** Seconds at the stations: of a user by group, and of an open arrival. */
  readonly groups: readonly number[];
  readonly open: number;
}

/** Combinations of users that are looked at. */
export const COMBINATIONS_MAX = 300_000;

export function combinationsOf(groups: readonly UserGroup[]): number {
  return groups.reduce((product, { users }) => product * (users + 1), 1);
}

export function classTimes(
  groups: readonly UserGroup[],
  stations: readonly ClassStation[],
): ClassTimes {
  const steps: number[] = [];
  let combinations = 1;
  for (const { users } of groups) {
    steps.push(combinations);
    combinations *= users + 1;
  }
  // By combination: how many are at each station.
  const present = stations.map(() => new Float64Array(combinations));
  const each = stations.map(({ demand, open }) => demand / (1 - open));
  const times = groups.map(() => 0);
  for (let here = 1; here < combinations; here++) {
    for (const [index, { users, think }] of groups.entries()) {
      const step = steps[index] ?? 1;
      const now = Math.floor(here / step) % (users + 1);
      if (now === 0) continue;
      const at = each.map((one, k) => one * (1 + (present[k]?.[here - step] ?? 0)));
      const time = at.reduce((sum, one) => sum + one, 0);
      times[index] = time;
      const rate = now / (think + time);
      at.forEach((one, k) => {
        const row = present[k];
        if (row !== undefined) row[here] = (row[here] ?? 0) + rate * one;
      });
    }
  }
  const open = each.reduce(
    (sum, one, k) => sum + one * (1 + (present[k]?.[combinations - 1] ?? 0)),
    0,
  );
  return { groups: times, open };
}
