import type { ILeaderboardRow } from '../api/rows';
import { MISSING } from '../common/format';
import { valueOf } from './state';

/**
 * What the cells of a leaderboard show. The panels in notebooks compute the same
 * (`notebook/leaderboard_cells.py`): both are tested with `tests/golden`.
 */

export interface IRange {
  readonly low: number;
  readonly high: number;
}

/** Digits after the point: four for scores, fewer for large values; one number a column. */
export function decimalsOf(rows: ReadonlyArray<ILeaderboardRow>, column: string): number {
  const largest = Math.max(0, ...rows.map(row => Math.abs(valueOf(row, column) ?? 0)));
  return largest < 10 ? 4 : Math.max(0, 4 - Math.floor(Math.log10(largest)));
}

/** A value of a column as text; missing is a dash, never 0. */
export function textOf(value: number | null | undefined, decimals: number): string {
  return typeof value === 'number' ? value.toFixed(decimals) : MISSING;
}

/**
 * How far the bar of a model goes, in percent of the cell. Bars start at zero. Scores that are at most 1
 * fill the cell at 1; everything else at the largest value.
 */
export function barOf(
  row: ILeaderboardRow,
  rows: ReadonlyArray<ILeaderboardRow>,
  metric: string | null,
  greaterIsBetter: boolean
): number {
  const value = valueOf(row, metric ?? '') ?? 0;
  const largest = Math.max(0, ...rows.map(one => Math.abs(valueOf(one, metric ?? '') ?? 0)));
  const full = greaterIsBetter && largest <= 1 ? 1 : largest;
  return full > 0 ? (100 * Math.max(0, value)) / full : 0;
}

/** The range of the folds of all models, widened to round numbers; null without folds. */
export function foldRange(rows: ReadonlyArray<ILeaderboardRow>): IRange | null {
  const values = rows.flatMap(row => foldsOf(row));
  if (values.length === 0) {
    return null;
  }
  const [low, high] = [Math.min(...values), Math.max(...values)];
  if (low === high) {
    return low === 0 ? { low: 0, high: 1 } : { low: low - 0.5, high: high + 0.5 };
  }
  let step = 10 ** Math.floor(Math.log10(high - low));
  step = (high - low) / step < 2 ? step / 2 : step;
  return {
    low: Math.floor(low / step + 1e-9) * step,
    high: Math.ceil(high / step - 1e-9) * step
  };
}

/** The values of the ranking metric, fold by fold, without those that failed. */
export function foldsOf(row: ILeaderboardRow): ReadonlyArray<number> {
  return (row.folds ?? []).filter((value): value is number => typeof value === 'number');
}
