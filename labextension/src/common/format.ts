/**
 * How figures are written. Missing is a dash, never 0.
 */

export const MISSING = '–';

const count = new Intl.NumberFormat('en');
const fine = new Intl.NumberFormat('en', { minimumFractionDigits: 4, maximumFractionDigits: 4 });
const coarse = new Intl.NumberFormat('en', { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const KIB = 2 ** 10;
const MIB = 2 ** 20;

export function formatCount(value: number): string {
  return count.format(value);
}

/**
 * A score with fixed decimals: four, or one where it has four digits before the point.
 */
export function formatScore(value: number | null | undefined): string {
  if (value === null || value === undefined) {
    return MISSING;
  }
  return Math.abs(value) >= 1000 ? coarse.format(value) : fine.format(value);
}

/**
 * The end of a scale: two digits, or whole where it has more before the point.
 */
export function formatEnd(value: number): string {
  return Math.abs(value) >= 10 ? count.format(Math.round(value)) : value.toPrecision(2);
}

/** Parameters whose names in the engine say little. */
const LABELS: Readonly<Record<string, string>> = {
  session_id: 'Random seed',
  n_select: 'Models to keep'
};

/**
 * A parameter's name as words: `train_size` as `Train size`.
 */
export function labelOf(name: string): string {
  const known = LABELS[name];
  if (known !== undefined) {
    return known;
  }
  const words = name.replace(/_/g, ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/**
 * A span as m:ss or h:mm:ss.
 */
export function formatSpan(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (part: number) => String(part).padStart(2, '0');
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return hours > 0
    ? `${hours}:${two(minutes)}:${two(seconds % 60)}`
    : `${minutes}:${two(seconds % 60)}`;
}

export function formatMilliseconds(ms: number | null): string {
  if (ms === null) {
    return MISSING;
  }
  return ms < 1 ? '<1 ms' : `${count.format(Math.round(ms))} ms`;
}

/**
 * Two sizes in one unit, as `21.4 of 38.2 MiB`.
 */
export function formatSizes(part: number, whole: number): { part: string; whole: string } {
  if (whole < KIB) {
    return { part: count.format(part), whole: `${count.format(whole)} B` };
  }
  const [unit, size] = whole < MIB ? ['KiB', KIB] : ['MiB', MIB];
  const one = (bytes: number) => (bytes / (size as number)).toFixed(1);
  return { part: one(part), whole: `${one(whole)} ${unit}` };
}

export function formatSize(bytes: number): string {
  return formatSizes(bytes, bytes).whole;
}

/**
 * A time of day as 14:02.
 */
export function formatTime(ms: number): string {
  const time = new Date(ms);
  const two = (part: number) => String(part).padStart(2, '0');
  return `${two(time.getHours())}:${two(time.getMinutes())}`;
}

/**
 * A share as 4.0 %; none at all is 0 %, and what is there is never written as none.
 */
export function formatShare(part: number, whole: number): string {
  if (part === 0 || whole === 0) {
    return '0 %';
  }
  if (part === whole) {
    return '100 %';
  }
  const percent = (100 * part) / whole;
  return percent < 0.1 ? '<0.1 %' : `${Math.min(99.9, percent).toFixed(1)} %`;
}
