import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { ILeaderboardRow, IRunDetail, IRunEvent } from '../src/api/rows';
import { after } from '../src/runView/events';
import { metricsOf, NO_RUN, sorted } from '../src/runView/state';
import { EventStream } from '../src/runView/stream';
import { run } from './fakeApi';
import { FakeSocket } from './fakeSocket';

const event = (seq: number, kind: string, payload: object = {}): IRunEvent => ({
  seq,
  kind,
  message: kind,
  payload: payload as IRunEvent['payload'],
  duration_ms: null,
  timestamp: '2024-11-23T12:00:05Z',
  run_id: 'r1',
  attempt: 1
});

const row = (model_id: string, Accuracy: number | null, AUC: number | null = null) =>
  ({ model_id, name: model_id, rank: 1, Accuracy, AUC }) as unknown as ILeaderboardRow;

const fresh = { ...NO_RUN, run: { ...run('r1', { status: 'queued' }) } as IRunDetail };

describe('the events of a run', () => {
  it('fill the leaderboard, best first', () => {
    const state = after(fresh, [
      event(1, 'run.started'),
      event(2, 'model.compare.started', { candidates: ['lr', 'nb', 'qda'], sort: 'Accuracy' }),
      event(3, 'run.progress', {
        done: 0,
        total: 3,
        label: 'LR',
        model_id: 'lr',
        fold: 2,
        folds: 5
      })
    ]);
    assert.equal(state.run?.status, 'running');
    assert.deepEqual(state.fitting, { model_id: 'lr', name: 'LR', fold: 2, folds: 5 });
    const more = after(state, [
      event(4, 'model.scored', row('lr', 0.7)),
      event(5, 'model.scored', row('nb', 0.9)),
      event(6, 'model.failed', { model_id: 'qda', error: 'collinear' })
    ]);
    assert.deepEqual(
      more.rows.map(one => one.model_id),
      ['nb', 'lr']
    );
    assert.deepEqual(more.failed, [{ model_id: 'qda', error: 'collinear' }]);
    assert.equal(more.fitting, null);
    assert.equal(more.events.length, 6);
  });

  it('rank an error upwards once the engine has said that it is one', () => {
    const metrics = [{ id: 'Accuracy', name: '', greater_is_better: false }];
    const state = after({ ...fresh, metrics, metric: 'Accuracy' }, [
      event(1, 'model.scored', row('a', 2)),
      event(2, 'model.scored', row('b', 1))
    ]);
    assert.equal(state.rows[0]?.model_id, 'b');
  });

  it('say how it ended, and keep the rows', () => {
    const state = after(fresh, [
      event(1, 'model.scored', row('lr', 0.7)),
      event(2, 'run.cancelled')
    ]);
    assert.equal(state.run?.status, 'cancelled');
    assert.equal(state.rows.length, 1);
  });
});

describe('a leaderboard', () => {
  it('puts what is missing last, whichever way it is sorted', () => {
    const rows = [row('a', null), row('b', 1), row('c', 2)];
    const ids = (descending: boolean) =>
      sorted(rows, 'Accuracy', descending).map(one => one.model_id);
    assert.deepEqual(ids(true), ['c', 'b', 'a']);
    assert.deepEqual(ids(false), ['b', 'c', 'a']);
  });

  it('has the metrics of its rows, the ranking one first', () => {
    assert.deepEqual(metricsOf([row('a', 1, 1)], 'AUC'), ['AUC', 'Accuracy']);
  });
});

describe('the stream', () => {
  let sockets: FakeSocket[];
  let seen: number[];
  let line: boolean[];
  let closed: number;
  let stream: EventStream;

  beforeEach(() => {
    sockets = [];
    seen = [];
    line = [];
    closed = 0;
    stream = new EventStream({
      open: seq => {
        const socket = new FakeSocket(seq);
        sockets.push(socket);
        return socket as unknown as WebSocket;
      },
      onEvents: events => seen.push(...events.map(one => one.seq)),
      onLine: there => line.push(there),
      onClosed: () => (closed += 1)
    });
    stream.start();
  });

  it('goes on with the last event that it saw, and takes none twice', t => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    sockets[0]?.onopen?.();
    sockets[0]?.say(event(1, 'a'));
    sockets[0]?.say(event(2, 'b'));
    sockets[0]?.onclose?.();
    assert.deepEqual(seen, [1, 2]);
    assert.deepEqual(line, [true, false]);
    t.mock.timers.tick(1000);
    assert.equal(sockets[1]?.afterSeq, 2);
    sockets[1]?.onopen?.();
    sockets[1]?.say(event(2, 'b'));
    sockets[1]?.say(event(3, 'c'));
    t.mock.timers.tick(100);
    assert.deepEqual(seen, [1, 2, 3]);
  });

  it('waits longer each time', t => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    sockets[0]?.onclose?.();
    t.mock.timers.tick(1000);
    sockets[1]?.onclose?.();
    t.mock.timers.tick(1999);
    assert.equal(sockets.length, 2);
    t.mock.timers.tick(1);
    assert.equal(sockets.length, 3);
  });

  it('is over when the run is', t => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    sockets[0]?.say(event(1, 'run.succeeded'));
    sockets[0]?.say({ kind: 'run.closed', status: 'succeeded' });
    sockets[0]?.onclose?.();
    t.mock.timers.tick(60000);
    assert.deepEqual(seen, [1]);
    assert.equal(closed, 1);
    assert.equal(sockets.length, 1);
    stream.start();
    assert.equal(sockets.length, 1);
  });

  it('lets go of the line while nobody looks', () => {
    sockets[0]?.say(event(1, 'a'));
    stream.stop();
    assert.equal(sockets[0]?.closed, true);
    assert.deepEqual(seen, [1]);
    stream.start();
    assert.equal(sockets[1]?.afterSeq, 1);
    stream.stop();
  });
});
