import type { IProfileColumn } from '../api/data';
import { formatCount, MISSING } from '../common/format';

/** digits that a figure shows at least */
const DIGITS = 3;
/** decimals at most */
const MOST = 6;

/**
 * Numbers of one column with as many decimals as the largest needs to show three digits.
 */
export function formatNumbers(values: ReadonlyArray<number>): ReadonlyArray<string> {
  if (values.every(Number.isInteger)) {
    return values.map(formatCount);
  }
  const largest = Math.max(...values.map(Math.abs));
  const before = largest > 0 ? Math.floor(Math.log10(largest)) + 1 : 1;
  const decimals = Math.min(MOST, Math.max(1, DIGITS - before));
  const digits = { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
  const format = new Intl.NumberFormat('en', digits);
  return values.map(value => format.format(value));
}

/**
 * Values of a column for people: numbers alike, dates without a time that is midnight in all of them.
 */
export function formatValues(values: ReadonlyArray<unknown>): ReadonlyArray<string> {
  if (values.every((value): value is number => typeof value === 'number')) {
    return formatNumbers(values);
  }
  const texts = values.map(value =>
    value === null || value === undefined
      ? MISSING
      : typeof value === 'object'
        ? JSON.stringify(value)
        : String(value as string | number | boolean)
  );
  const times = texts.map(text => /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(:\d\d)?/.exec(text));
  if (times.length === 0 || !times.every(time => time !== null)) {
    return texts;
  }
  const midnight = times.every(time => time[2] === '00:00' && (time[3] ?? ':00') === ':00');
  return times.map(time => (midnight ? (time[1] ?? '') : `${time[1] ?? ''} ${time[2] ?? ''}`));
}

export function formatValue(value: unknown): string {
  return formatValues([value])[0] ?? MISSING;
}

/** Seconds as the time that they are: `1:30:00`, `2 d`. */
export function formatDuration(seconds: number): string {
  const days = Math.floor(seconds / 86400);
  const rest = Math.round(seconds - 86400 * days);
  const two = (part: number): string => String(part).padStart(2, '0');
  const clock = `${Math.floor(rest / 3600)}:${two(Math.floor(rest / 60) % 60)}:${two(rest % 60)}`;
  return days === 0
    ? clock
    : rest === 0
      ? `${formatCount(days)} d`
      : `${formatCount(days)} d ${clock}`;
}

/** Values of one column in its own unit: durations as times, percentages and currencies with their sign. */
export function formatOf(
  column: IProfileColumn,
  values: ReadonlyArray<unknown>
): ReadonlyArray<string> {
  if (column.type === 'duration') {
    return values.map(value =>
      typeof value === 'number' ? formatDuration(value) : formatValue(value)
    );
  }
  return formatValues(values);
}

/** What a bar chart of a column is made of: touching bars are ranges, bars with gaps are levels. */
export interface IShape {
  readonly kind: 'ranges' | 'levels';
  readonly counts: ReadonlyArray<number>;
}

/** levels drawn at most */
const LEVELS = 40;
/** Types whose values are all different, or too long: a picture of them says nothing. */
const SHAPELESS: ReadonlySet<string> = new Set(['identifier', 'text', 'empty']);

/** The shape of a column's values; null where a picture of them says nothing. */
export function shapeOf(column: IProfileColumn): IShape | null {
  if (SHAPELESS.has(column.type)) {
    return null;
  }
  const counts = column.histogram?.counts;
  if (counts?.length && column.type !== 'constant') {
    return { kind: 'ranges', counts };
  }
  const levels = column.top.slice(0, LEVELS).map(level => level.count);
  return levels.length > 0 ? { kind: 'levels', counts: levels } : null;
}

/** The widest bar of a level, with the gap after it */
const WIDEST = 12;
const GAP = 2;

/**
 * The bars of a shape as a path in a box; what is there at all is one pixel high at least.
 *
 * @param touching - the gap between ranges
 */
export function barsOf(
  { kind, counts }: IShape,
  width: number,
  height: number,
  touching = 0.5
): string {
  const most = Math.max(...counts);
  const pitch = kind === 'ranges' ? width / counts.length : Math.min(WIDEST, width / counts.length);
  const gap = kind === 'ranges' ? Math.min(touching, pitch / 4) : Math.min(GAP, 0.37 * pitch);
  const round = (value: number): string => String(Math.round(100 * value) / 100);
  return counts
    .map((count, index) => {
      const tall = count === 0 || most === 0 ? 0 : Math.max(1, (height * count) / most);
      return tall === 0
        ? ''
        : `M${round(index * pitch)} ${height}V${round(height - tall)}h${round(pitch - gap)}V${height}z`;
    })
    .join('');
}
