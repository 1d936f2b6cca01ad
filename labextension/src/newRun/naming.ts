import type { IExperiment } from '../api/rows';
import { sampleOf } from './samples';
import { type IFormState, takesTarget } from './state';

/** A name from data and target that no experiment about something else has; null without data. */
export function experimentName(state: IFormState): string | null {
  const { sources, sourceId, target, task } = state;
  const sample = sampleOf(sourceId);
  const source = sample ?? sources.find(row => row.id === sourceId)?.name;
  if (source === undefined) {
    return null;
  }
  // Every sample calls its target by one name, which says nothing.
  const last = !takesTarget(state) ? task : sample === null ? target : 'sample';
  const stem = source.replace(/\.[a-z]{2,7}$/i, '');
  const name = [stem, last]
    .map(word =>
      word
        .trim()
        .toLowerCase()
        .replace(/[^\p{L}\p{N}]+/gu, '-')
    )
    .join('-')
    .replace(/^-|-$/g, '')
    .slice(0, 120);
  const taken = (candidate: string): boolean =>
    state.experiments.some(row => row.name === candidate && !fits(state, row));
  let free = name;
  for (let n = 2; taken(free); n += 1) {
    free = `${name}-${n}`;
  }
  return free;
}

/** Whether an experiment is about what the form is about. */
export function fits(state: IFormState, row: Pick<IExperiment, 'task' | 'target'>): boolean {
  const target = takesTarget(state) ? state.target : '';
  return row.task === state.task && (row.target ?? '') === target;
}
