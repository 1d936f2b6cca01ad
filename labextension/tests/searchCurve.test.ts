import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { IRunEvent } from '../src/api/rows';
import { searchPoints, stepsOf } from '../src/runView/searchCurve';

const event = (kind: string, payload: object): IRunEvent =>
  ({ kind, payload, message: kind, seq: 1 }) as unknown as IRunEvent;

const progress = (tried: number, value: number | null): IRunEvent =>
  event('search.progress', { n_tried: tried, best: { value } });

describe('the curve of a search', () => {
  it('has the best score after each report of the last attempt', () => {
    const events = [
      event('search.started', {}),
      progress(10, 0.7),
      event('search.started', {}),
      progress(12, 0.8),
      progress(16, null),
      event('run.progress', { done: 1, total: 2 }),
      progress(20, 0.9)
    ];
    assert.deepEqual(searchPoints(events), [
      { tried: 12, best: 0.8 },
      { tried: 20, best: 0.9 }
    ]);
    assert.deepEqual(searchPoints([]), []);
  });

  it('goes up as scores get better, whatever better is', () => {
    const points = [
      { tried: 10, best: 1 },
      { tried: 20, best: 3 },
      { tried: 30, best: 3 }
    ];
    assert.equal(stepsOf(points, 100, 40, true), 'M0 40.0H50.0V0.0H100.0V0.0');
    assert.equal(stepsOf(points, 100, 40, false), 'M0 0.0H50.0V40.0H100.0V40.0');
    assert.equal(stepsOf(points.slice(0, 1), 100, 40, true), '');
    assert.equal(
      stepsOf(
        points.map(({ tried }) => ({ tried, best: 2 })),
        100,
        40,
        true
      ),
      'M0 20.0H50.0V20.0H100.0V20.0'
    );
  });
});
