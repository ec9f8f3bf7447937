/** A chart as it is drawn and exported: lines over time. */

/** Times in seconds, then a column for each line; null = not known. */
export type ChartData = [number[], ...(number | null)[][]];

export interface Chart {
  readonly id: string;
  readonly title: string;
  /** What a value is: beside the title. */
  readonly unit: string;
  readonly lines: readonly string[];
  readonly data: ChartData;
}

/** As spreadsheets read it; a value that is not known is empty. */
export function csvOf({ lines, data }: Chart): string {
  const quote = (text: string): string => `"${text.replaceAll('"', '""')}"`;
  const head = ['second', ...lines].map(quote).join(',');
  const rows = data[0].map((time, row) =>
    [time, ...data.slice(1).map((column) => column[row] ?? '')].join(','),
  );
  return `${[head, ...rows].join('\n')}\n`;
}
