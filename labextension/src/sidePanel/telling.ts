import type { TranslationBundle } from '@jupyterlab/translation';
import { type IExperiment, type IRun, runTitle } from '../api/rows';
import { formatScore } from '../common/format';
import { isUnfinished } from './state';

/**
 * What became of runs between two reads, a sentence for each.
 */
export function whatHappened(
  before: ReadonlyArray<IRun>,
  now: ReadonlyArray<IRun>,
  experiments: ReadonlyMap<string, IExperiment>,
  trans: TranslationBundle
): ReadonlyArray<string> {
  const old = new Map(before.map(run => [run.id, run.status]));
  return now.flatMap(run => {
    const was = old.get(run.id);
    if (was === run.status || (was === undefined && !isUnfinished(run))) {
      return [];
    }
    const name = runTitle(run, experiments).title;
    const sentence = sentenceFor(run, name, trans);
    return sentence === null ? [] : [sentence];
  });
}

function sentenceFor(run: IRun, name: string, trans: TranslationBundle): string | null {
  const { best, metric } = run.metrics_summary ?? {};
  switch (run.status) {
    case 'queued':
      return null;
    case 'running':
      return trans.__('%1 started.', name);
    case 'succeeded':
      return best
        ? trans.__(
            '%1 succeeded. Best: %2, %3 %4.',
            name,
            best.name ?? best.model_id,
            metric ?? '',
            formatScore(best.value)
          )
        : trans.__('%1 succeeded.', name);
    case 'failed':
      return trans.__('%1 failed. %2', name, run.error ?? '');
    case 'cancelled':
      return trans.__('%1 was cancelled.', name);
  }
}
