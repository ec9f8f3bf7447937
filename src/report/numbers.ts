/** Numbers as a report prints them: three digits that matter, thousands apart, with units. */

export function count(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  const [whole = '', part] = String(Number(value.toFixed(digits))).split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+(?!\d))/g, ',');
  return part === undefined ? grouped : `${grouped}.${part}`;
}

export function percent(share: number): string {
  const value = share * 100;
  // What is not all must not look like all.
  const near = value > 99.9 && value < 100 ? 3 : value < 10 || value > 99 ? 1 : 0;
  return `${Number(value.toFixed(near))} %`;
}

export function milliseconds(ms: number): string {
  if (ms >= 1_000) return `${count(ms / 1_000)} s`;
  return `${count(ms)} ms`;
}

/** `1:08`, minutes and seconds after the start of the load; `14:03:00` beyond two hours. */
export function clock(second: number): string {
  const whole = Math.round(second);
  const two = (value: number): string => String(value).padStart(2, '0');
  const seconds = two(whole % 60);
  if (whole < 7_200) return `${Math.floor(whole / 60)}:${seconds}`;
  return `${Math.floor(whole / 3_600)}:${two(Math.floor(whole / 60) % 60)}:${seconds}`;
}

/** `1 client`, `2 clients`. */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}
