import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { IRunDetail } from '../src/api/rows';
import { SidePanelModel } from '../src/sidePanel/model';
import type { ILineApi } from '../src/watch/lines';
import { RunWatch } from '../src/watch/model';
import { FakeApi, run } from './fakeApi';
import { FakeSocket } from './fakeSocket';
import { settled, trans } from './texts';

/** Lines that a test moves by hand. */
class FakeLines implements ILineApi {
  readonly sockets = new Map<string, FakeSocket>();
  failure: Error | null = null;
  row: Partial<IRunDetail> = {};

  run(id: string): Promise<IRunDetail> {
    return this.failure
      ? Promise.reject(this.failure)
      : Promise.resolve({ ...run(id), ...this.row } as IRunDetail);
  }

  stream(id: string, afterSeq: number): WebSocket {
    const socket = new FakeSocket(afterSeq);
    this.sockets.set(id, socket);
    return socket as unknown as WebSocket;
  }

  /** ids of runs that there is a line to */
  get open(): string[] {
    return [...this.sockets].filter(([, socket]) => !socket.closed).map(([id]) => id);
  }
}

let api: FakeApi;
let lines: FakeLines;
let model: SidePanelModel;
let watch: RunWatch;
let ended: string[];

beforeEach(() => {
  api = new FakeApi();
  lines = new FakeLines();
  model = new SidePanelModel({ api, trans });
  watch = new RunWatch(model, lines);
  ended = [];
  watch.ended.connect((_, one) => ended.push(`${one.id} ${one.status}`));
});

afterEach(() => {
  watch.dispose();
  model.dispose();
});

describe('the watch over runs', () => {
  it('counts what is under way, once that was read', async () => {
    api.allRuns = [run('a'), run('b', { status: 'queued' }), run('c', { status: 'failed' })];
    assert.equal(watch.knows, false);
    await model.reload();
    assert.equal(watch.knows, true);
    assert.equal(watch.running, 1);
    assert.equal(watch.queued, 1);
  });

  it('tells each end once, and none that was there before', async () => {
    api.allRuns = [run('a'), run('c', { status: 'failed' })];
    await model.reload();
    api.allRuns = [run('a', { status: 'succeeded' }), run('c', { status: 'failed' })];
    await model.reload();
    await model.reload();
    assert.deepEqual(ended, ['a succeeded']);
  });

  it('holds a line to each run that has not ended, while the panel is hidden', async () => {
    api.allRuns = [run('a'), run('b', { status: 'queued' }), run('c', { status: 'failed' })];
    await model.reload();
    assert.deepEqual(lines.open, ['a', 'b']);
    assert.equal(lines.sockets.get('a')?.afterSeq, 2 ** 31 - 1);
    model.setActive(true);
    assert.deepEqual(lines.open, []);
    model.setActive(false);
    assert.deepEqual(lines.open, ['a', 'b']);
  });

  it('is told of the end over the line, and asks for the row alone', async () => {
    api.allRuns = [run('a')];
    await model.reload();
    const asked = api.calls.length;
    lines.row = { status: 'succeeded' };
    lines.sockets.get('a')?.say({ kind: 'run.closed', status: 'succeeded' });
    await Promise.resolve();
    assert.deepEqual(ended, ['a succeeded']);
    assert.equal(watch.running, 0);
    assert.equal(api.calls.length, asked);
  });

  it('lets no read that began before it take back what the line said', async () => {
    api.allRuns = [run('a')];
    await model.reload();
    let open = (): void => undefined;
    api.gate = new Promise(resolve => {
      open = resolve;
    });
    const late = model.reload();
    lines.row = { status: 'cancelled' };
    lines.sockets.get('a')?.say({ kind: 'run.closed', status: 'cancelled' });
    await settled();
    open();
    await late;
    assert.equal(watch.running, 0);
    assert.deepEqual(ended, ['a cancelled']);
  });

  it('takes the word of the line where the row cannot be read', async () => {
    api.allRuns = [run('a'), run('b')];
    await model.reload();
    lines.failure = new Error('lost');
    lines.sockets.get('a')?.say({ kind: 'run.closed', status: 'cancelled' });
    lines.sockets.get('b')?.say({ kind: 'run.closed', status: 'deleted' });
    await new Promise(setImmediate);
    assert.deepEqual(ended, ['a cancelled']);
    assert.deepEqual(
      model.state.runs.rows.map(row => row.id),
      ['a']
    );
  });

  it('hears that a queued run has started', async () => {
    api.allRuns = [run('b', { status: 'queued' })];
    await model.reload();
    assert.equal(lines.sockets.get('b')?.afterSeq, 1);
    const started = new Promise<void>(resolve => watch.changed.connect(() => resolve()));
    lines.sockets.get('b')?.say({ seq: 2, kind: 'run.started', timestamp: '2024-11-23T12:00:01Z' });
    await started;
    assert.deepEqual([watch.running, watch.queued], [1, 0]);
    assert.equal(lines.sockets.get('b')?.afterSeq, 2 ** 31 - 1);
  });

  it('asks for a run itself where no WebSocket is let through', async t => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    api.allRuns = [run('a'), run('b', { status: 'queued' })];
    await model.reload();
    lines.row = { status: 'running' };
    lines.sockets.get('a')?.onclose?.();
    lines.sockets.get('b')?.onclose?.();
    await settled();
    assert.deepEqual([watch.running, watch.queued], [2, 0]);
    lines.row = { status: 'succeeded' };
    t.mock.timers.tick(10000);
    await settled();
    assert.deepEqual(ended.sort(), ['a succeeded', 'b succeeded']);
    assert.equal(watch.running, 0);
  });

  it('hears of the run view at once, also while the panel reads', async () => {
    api.allRuns = [run('a'), run('b')];
    await model.reload();
    model.hearOfRun('a', { progress: { done: 1, total: 3, label: 'LR' } });
    assert.equal(model.state.runs.rows[0]?.progress.done, 1);
    let open = (): void => undefined;
    api.gate = new Promise(resolve => {
      open = resolve;
    });
    const late = model.reload();
    for (let done = 1; done < 4; done += 1) {
      model.hearOfRun('a', { progress: { done, total: 3, label: 'LR' } });
    }
    api.allRuns = [run('a'), run('b'), run('c')];
    model.hearOfRun('b', { status: 'succeeded' });
    open();
    await late;
    const [a, b] = model.state.runs.rows;
    assert.equal(a?.progress.done, 3, 'the read is taken, and does not take back what was heard');
    assert.equal(b?.status, 'succeeded');
    assert.deepEqual(ended, ['b succeeded']);
    api.gate = null;
    api.allRuns = [run('a', { progress: { done: 2, total: 3, label: 'LR' } }), run('b')];
    await model.reload();
    assert.equal(model.state.runs.rows[0]?.progress.done, 2, 'a read that began later is newer');
  });

  it('never takes a run out of its end for older news', async () => {
    api.allRuns = [run('a', { status: 'succeeded' })];
    await model.reload();
    model.hearOfRun('a', { status: 'running' });
    assert.equal(model.state.runs.rows[0]?.status, 'succeeded');
  });

  it('holds no more than eight lines, and first to those that run', async () => {
    const waiting = Array.from({ length: 9 }, (_, n) => run(`q${n}`, { status: 'queued' }));
    api.allRuns = [...waiting, run('a')];
    await model.reload();
    assert.equal(lines.open.length, 8);
    assert.ok(lines.open.includes('a'));
  });
});
