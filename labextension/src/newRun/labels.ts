import type { ILevel } from '../api/data';
import type { ILevelBar } from '../common/levels';

/** Levels that differ by case or blanks only, under the spelling that most rows have. */
export interface ITwins {
  readonly kept: string;
  readonly others: ReadonlyArray<string>;
  /** rows of the other spellings */
  readonly rows: number;
}

const keyOf = (level: ILevel): string => String(level.value).trim().toLowerCase();

function groups(levels: ReadonlyArray<ILevel>): ReadonlyArray<ReadonlyArray<ILevel>> {
  const found = new Map<string, ILevel[]>();
  for (const level of levels) {
    const key = keyOf(level);
    found.set(key, [...(found.get(key) ?? []), level]);
  }
  return [...found.values()];
}

/** The levels that would become one; the most frequent one of each comes first in `levels`. */
export function twinsOf(levels: ReadonlyArray<ILevel>): ReadonlyArray<ITwins> {
  return groups(levels)
    .filter(group => group.length > 1)
    .map(([first, ...others]) => ({
      kept: String(first?.value),
      others: others.map(level => String(level.value)),
      rows: others.reduce((sum, level) => sum + level.count, 0)
    }));
}

/** Labels with their counts, as they are or with twins as one. */
export function labelsOf(levels: ReadonlyArray<ILevel>, merged: boolean): ReadonlyArray<ILevelBar> {
  const sets = merged ? groups(levels) : levels.map(level => [level]);
  return sets
    .map(group => ({
      name: String(group[0]?.value),
      count: group.reduce((sum, level) => sum + level.count, 0)
    }))
    .sort((a, b) => b.count - a.count);
}
