/** Small statistics of the benchmark: pure, so that a table test can hold them. */

/** The value below which a share `q` (0–1) of the samples lies: nearest rank. NaN for no samples. */
export function quantile(samples: readonly number[], q: number): number {
  if (samples.length === 0) return Number.NaN;
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(q * sorted.length) - 1))] ?? Number.NaN;
}

/** The middle sample. */
export const median = (samples: readonly number[]): number => quantile(samples, 0.5);

/** One line of the report. `value` is what is compared with the goal. */
export interface Row {
  readonly name: string;
  readonly value: number;
  readonly unit: 'ratio' | 'ms' | 'writes' | 'MB';
  /** What the value should reach, absent for figures given for orientation. */
  readonly goal?: {readonly atMost: number} | {readonly atLeast: number};
  /** How the value came about: the raw figures. */
  readonly detail: string;
}

/** Whether a row reaches its goal; undefined where there is none. A value that is not a number reaches nothing. */
export function reached(row: Row): boolean | undefined {
  if (row.goal === undefined) return undefined;
  return 'atMost' in row.goal ? row.value <= row.goal.atMost : row.value >= row.goal.atLeast;
}

const text = (value: number, unit: Row['unit']): string =>
  unit === 'ratio' ? value.toFixed(2) : `${value.toFixed(unit === 'writes' ? 0 : 1)} ${unit}`;

/** The report as a Markdown table. */
export function formatReport(rows: readonly Row[]): string {
  const lines = rows.map((row) => {
    const goal =
      row.goal === undefined
        ? '–'
        : 'atMost' in row.goal
          ? `≤ ${text(row.goal.atMost, row.unit)}`
          : `≥ ${text(row.goal.atLeast, row.unit)}`;
    const mark = {true: 'yes', false: 'NO', undefined: '–'}[String(reached(row))] ?? '–';
    return `| ${row.name} | ${text(row.value, row.unit)} | ${goal} | ${mark} | ${row.detail} |`;
  });
  return ['| Measured | Value | Goal | Reached | How |', '|---|---|---|---|---|', ...lines].join('\n');
}

/** Runs `work` for each item, at most `width` at a time, in order of the list. The first failure is thrown after all running ones ended. */
export async function inParallel<T>(items: readonly T[], width: number, work: (item: T, index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const failures: unknown[] = [];
  const worker = async (): Promise<void> => {
    while (next < items.length && failures.length === 0) {
      const index = next++;
      try {
        await work(items[index] as T, index);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({length: Math.min(width, items.length)}, worker));
  if (failures.length > 0) throw failures[0];
}
