/**
 * Tables that come with the engine: something to look at for whoever has no data at hand.
 */

const PREFIX = 'sample:';
/** the column to predict, in each of them */
export const SAMPLE_TARGET = 'target';

export const SAMPLES: ReadonlyArray<string> = ['iris', 'wine', 'breast_cancer', 'diabetes'];

/** How a form names a sample where a data source has its id. */
export function sampleId(name: string): string {
  return PREFIX + name;
}

/** The sample that an id in a form stands for; null for a data source. */
export function sampleOf(id: string): string | null {
  return id.startsWith(PREFIX) ? id.slice(PREFIX.length) : null;
}

/** `breast_cancer` as `breast cancer` */
export function wordsOf(sample: string): string {
  return sample.replace(/_/g, ' ');
}
