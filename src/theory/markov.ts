/**
 * Stationary shares of a Markov chain of states 0, 1, .. whose jumps lead no further than `band`
 * states, by state reduction (Grassmann, Taksar and Heyman, Operations Research 33, 1985): no
 * subtraction, so no digit is lost. Costs O(states x band^2).
 */
export interface Jump {
  readonly from: number;
  readonly to: number;
  readonly rate: number;
}

export function stationaryShares(states: number, jumps: readonly Jump[]): Float64Array {
  let band = 1;
  for (const { from, to } of jumps) band = Math.max(band, Math.abs(from - to));
  const width = 2 * band + 1;
  const rates = new Float64Array(states * width);
  const at = (from: number, to: number): number => from * width + to - from + band;
  for (const { from, to, rate } of jumps) {
    const cell = at(from, to);
    rates[cell] = (rates[cell] ?? 0) + rate;
  }
  const downs = new Float64Array(states);
  for (let state = states - 1; state > 0; state--) {
    const first = Math.max(0, state - band);
    let down = 0;
    for (let to = first; to < state; to++) down += rates[at(state, to)] ?? 0;
    downs[state] = down;
    for (let from = first; from < state; from++) {
      const into = rates[at(from, state)] ?? 0;
      if (into === 0 || down === 0) continue;
      for (let to = first; to < state; to++) {
        const cell = at(from, to);
        rates[cell] = (rates[cell] ?? 0) + (into * (rates[at(state, to)] ?? 0)) / down;
      }
    }
  }
  const shares = new Float64Array(states);
  shares[0] = 1;
  let sum = 1;
  for (let state = 1; state < states; state++) {
    let into = 0;
    for (let from = Math.max(0, state - band); from < state; from++) {
      into += (shares[from] ?? 0) * (rates[at(from, state)] ?? 0);
    }
    const down = downs[state] ?? 0;
    shares[state] = down === 0 ? 0 : into / down;
    sum += shares[state] ?? 0;
  }
  return shares.map((one) => one / sum);
}
