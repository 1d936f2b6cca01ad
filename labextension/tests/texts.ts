import type { TranslationBundle } from '@jupyterlab/translation';

const fill = (text: string, ...gaps: string[]): string =>
  gaps.reduce((filled, gap, i) => filled.replace(`%${i + 1}`, gap), text);

/** Texts with their gaps filled, as a language pack would. */
export const trans = {
  __: fill,
  _n: (one: string, many: string, n: number, ...gaps: string[]): string =>
    fill(n === 1 ? one : many, String(n), ...gaps)
} as unknown as TranslationBundle;

export const settled = (): Promise<void> => new Promise(resolve => setImmediate(resolve));
