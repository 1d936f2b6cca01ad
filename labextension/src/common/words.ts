import type { TranslationBundle } from '@jupyterlab/translation';
import { NetworkError, sentenceOf } from '../api/errors';
import { formatTime } from './format';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * Why an action did not work, in one sentence.
 */
export function refusalOf(error: unknown, trans: TranslationBundle): string {
  return error instanceof NetworkError
    ? trans.__('The server was not reached. Try again.')
    : sentenceOf(error);
}

/**
 * How long ago something was, as `2 s ago`.
 */
export function ago(ms: number, trans: TranslationBundle): string {
  const past = Math.max(0, ms);
  if (past < MINUTE) {
    return trans.__('%1 s ago', String(Math.floor(past / SECOND)));
  }
  if (past < HOUR) {
    return trans.__('%1 min ago', String(Math.floor(past / MINUTE)));
  }
  if (past < DAY) {
    return trans.__('%1 h ago', String(Math.floor(past / HOUR)));
  }
  const days = Math.floor(past / DAY);
  return trans._n('%2 day ago', '%2 days ago', days, String(days));
}

/**
 * When something will be, as `in 90 days`. Rounded: a span of 90 days that has just begun is 90 days.
 */
export function ahead(ms: number, trans: TranslationBundle): string {
  if (ms < HOUR) {
    return trans.__('in %1 min', String(Math.max(0, Math.round(ms / MINUTE))));
  }
  if (ms < DAY) {
    return trans.__('in %1 h', String(Math.round(ms / HOUR)));
  }
  const days = Math.round(ms / DAY);
  return trans._n('in %2 day', 'in %2 days', days, String(days));
}

/**
 * A time in the past as `today at 13:40`, or with its date.
 */
export function atTime(ms: number, now: number, trans: TranslationBundle): string {
  const day = (time: number): number => new Date(time).setHours(0, 0, 0, 0);
  const days = Math.round((day(now) - day(ms)) / DAY);
  if (days === 0) {
    return trans.__('today at %1', formatTime(ms));
  }
  if (days === 1) {
    return trans.__('yesterday at %1', formatTime(ms));
  }
  const date = new Date(ms);
  const two = (part: number): string => String(part).padStart(2, '0');
  const iso = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return trans.__('%1 at %2', iso, formatTime(ms));
}
