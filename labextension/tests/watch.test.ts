import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { SidePanelModel } from '../src/sidePanel/model';
import { RunWatch } from '../src/watch/model';
import { FakeApi, run } from './fakeApi';
import { trans } from './texts';

let api: FakeApi;
let model: SidePanelModel;
let watch: RunWatch;
let ended: string[];

beforeEach(() => {
  api = new FakeApi();
  model = new SidePanelModel({ api, trans });
  watch = new RunWatch(model);
  ended = [];
  watch.ended.connect((_, one) => ended.push(`${one.id} ${one.status}`));
});

afterEach(() => {
  watch.dispose();
  model.dispose();
});

describe('the watch over runs', () => {
  it('counts what is under way', async () => {
    api.allRuns = [run('a'), run('b', { status: 'queued' }), run('c', { status: 'failed' })];
    await model.reload();
    assert.equal(watch.running, 1);
    assert.equal(watch.queued, 1);
    assert.equal(watch.unfinished, 2);
  });

  it('tells each end once, and none that was there before', async () => {
    api.allRuns = [run('a'), run('c', { status: 'failed' })];
    await model.reload();
    api.allRuns = [run('a', { status: 'succeeded' }), run('c', { status: 'failed' })];
    await model.reload();
    await model.reload();
    assert.deepEqual(ended, ['a succeeded']);
  });
});
