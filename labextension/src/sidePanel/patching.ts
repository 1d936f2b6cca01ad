import { JSONExt, type ReadonlyPartialJSONValue } from '@lumino/coreutils';
import type { IRow } from '../api/rows';
import type { ILists } from './reading';
import type { IPanelState } from './state';

export const NONE: ReadonlySet<string> = new Set();

/** The state with what the patch says; the same object where that is nothing new. */
export function patched(state: IPanelState, patch: Partial<IPanelState>): IPanelState {
  const next: Record<string, unknown> = { ...state };
  let changed = false;
  for (const [key, value] of Object.entries(patch)) {
    if (!same(next[key], value)) {
      next[key] = value;
      changed = true;
    }
  }
  return changed ? (next as unknown as IPanelState) : state;
}

/** The rows that a read brought and the one before did not have. */
export function newIn(before: ILists, now: ILists): ReadonlyArray<string> {
  const ids = (lists: ILists) =>
    [lists.data, lists.runs, lists.models, lists.deployments].flatMap(list =>
      (list.rows as ReadonlyArray<IRow>).map(row => row.id)
    );
  const known = new Set(ids(before));
  return ids(now).filter(id => !known.has(id));
}

export function without(set: ReadonlySet<string>, id: string): ReadonlySet<string> {
  return new Set([...set].filter(other => other !== id));
}

/** Sets and maps by content; everything else as JSON. */
function same(a: unknown, b: unknown): boolean {
  if (a === b) {
    return true;
  }
  if (a instanceof Set && b instanceof Set) {
    return a.size === b.size && [...a].every(one => b.has(one));
  }
  if (a instanceof Map || b instanceof Map) {
    return false;
  }
  return JSONExt.deepEqual(a as ReadonlyPartialJSONValue, b as ReadonlyPartialJSONValue);
}
