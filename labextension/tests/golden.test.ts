import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { IRunDetail, IRunEvent } from '../src/api/rows';
import { barOf, decimalsOf, foldRange, textOf } from '../src/runView/cells';
import { after } from '../src/runView/events';
import { NO_RUN, valueOf } from '../src/runView/state';
import { run } from './fakeApi';

/** The event lists that pytest runs over the notebook's view of a run as well. */
const FOLDER = join(process.cwd(), '..', 'tests', 'golden');

interface IGolden {
  readonly about: string;
  readonly run: Partial<IRunDetail>;
  readonly events: ReadonlyArray<IRunEvent>;
  readonly expected: {
    readonly status: string;
    readonly attempt: number;
    readonly progress: object;
    readonly leaderboard: ReadonlyArray<object>;
    readonly fitting: ReadonlyArray<object>;
    readonly failed: ReadonlyArray<object>;
    readonly fold_range: ReadonlyArray<number> | null;
  };
}

const rounded = (value: number): number => Math.round(value * 1e6) / 1e6;

function view(golden: IGolden): IGolden['expected'] {
  const progress = { done: 0, total: 0, label: '' };
  const row = { ...run('r1', { status: 'queued' }), progress, ...golden.run } as IRunDetail;
  const { metric, greater_is_better: better } = row;
  const state = after({ ...NO_RUN, run: row, metric }, golden.events);
  const decimals = decimalsOf(state.rows, metric ?? '');
  const range = foldRange(state.rows);
  assert.ok(state.run);
  return {
    status: state.run.status,
    attempt: state.run.attempt,
    progress: state.run.progress,
    leaderboard: state.rows.map(one => ({
      model_id: one.model_id,
      score: textOf(valueOf(one, metric ?? ''), decimals),
      bar: Math.round(10 * barOf(one, state.rows, metric, better)) / 10
    })),
    fitting: [...state.fitting],
    failed: [...state.failed],
    fold_range: range === null ? null : [rounded(range.low), rounded(range.high)]
  };
}

describe('the view of a run', () => {
  const files = readdirSync(FOLDER).filter(name => name.endsWith('.json'));
  assert.ok(files.length >= 6);
  for (const name of files) {
    const golden = JSON.parse(readFileSync(join(FOLDER, name), 'utf8')) as IGolden;
    it(`${name}: ${golden.about}`, () => {
      assert.deepEqual(view(golden), golden.expected);
    });
  }
});
