import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, type TestContext } from 'node:test';
import { NetworkError, ResponseError, SignedOut } from '../src/api/errors';
import {
  type ILeaderboardRow,
  type IPipeline,
  type IRunDetail,
  type IRunEvent,
  isUnfinished
} from '../src/api/rows';
import type { IEventPage, IRunApi } from '../src/api/runs';
import { after } from '../src/runView/events';
import { RunModel, type RunNews } from '../src/runView/model';
import { metricsOf, NO_RUN, sorted } from '../src/runView/state';
import { EventStream } from '../src/runView/stream';
import { experiment, run } from './fakeApi';
import { FakeSocket } from './fakeSocket';
import { settled, trans } from './texts';

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

const pass = async (t: TestContext, ms: number): Promise<void> => {
  t.mock.timers.tick(ms);
  await settled();
};

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
    assert.deepEqual(state.fitting, [{ model_id: 'lr', name: 'LR', fold: 2, folds: 5 }]);
    const more = after(state, [
      event(4, 'model.scored', row('lr', 0.7)),
      event(5, 'model.scored', row('nb', 0.9)),
      event(6, 'model.failed', { model_id: 'qda', error: 'collinear' })
    ]);
    assert.deepEqual(
      more.rows.map(one => one.model_id),
      ['nb', 'lr']
    );
    assert.deepEqual(more.failed, [{ model_id: 'qda', name: 'qda', error: 'collinear' }]);
    assert.deepEqual(more.fitting, []);
    assert.equal(more.events.length, 6);
  });

  it('rank an error upwards as the run says', () => {
    const error = { metric: 'Accuracy', greater_is_better: false };
    const state = after({ ...fresh, run: { ...fresh.run, ...error }, metric: 'Accuracy' }, [
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
  let closed: string[];
  let stored: IRunEvent[];
  let ended: IEventPage['status'];
  let trouble: Error | null;
  let fetched: number[];
  let stream: EventStream;

  beforeEach(() => {
    sockets = [];
    seen = [];
    line = [];
    closed = [];
    stored = [];
    ended = null;
    trouble = null;
    fetched = [];
    stream = new EventStream({
      open: seq => {
        const socket = new FakeSocket(seq);
        sockets.push(socket);
        return socket as unknown as WebSocket;
      },
      fetch: seq => {
        fetched.push(seq);
        return trouble
          ? Promise.reject(trouble)
          : Promise.resolve({ events: stored.filter(one => one.seq > seq), status: ended });
      },
      onEvents: events => seen.push(...events.map(one => one.seq)),
      onLine: error => line.push(error === null),
      onClosed: status => closed.push(status)
    });
  });

  afterEach(() => stream.stop());

  /** Move the clock, and let what was asked meanwhile be answered. */
  it('goes on with the last event that it saw, and takes none twice', async t => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    trouble = new NetworkError('down');
    stream.start();
    sockets[0]?.onopen?.();
    sockets[0]?.say(event(1, 'a'));
    sockets[0]?.say(event(2, 'b'));
    sockets[0]?.onclose?.();
    assert.deepEqual(seen, [1, 2]);
    await settled();
    assert.deepEqual(line, [true, false]);
    await pass(t, 1000);
    assert.equal(sockets[1]?.afterSeq, 2);
    sockets[1]?.onopen?.();
    sockets[1]?.say(event(2, 'b'));
    sockets[1]?.say(event(3, 'c'));
    t.mock.timers.tick(100);
    assert.deepEqual(seen, [1, 2, 3]);
    assert.equal(line.at(-1), true);
  });

  it('waits longer each time', t => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    stream.start();
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
    stream.start();
    sockets[0]?.say(event(1, 'run.succeeded'));
    sockets[0]?.say({ kind: 'run.closed', status: 'succeeded' });
    sockets[0]?.onclose?.();
    t.mock.timers.tick(60000);
    assert.deepEqual(seen, [1]);
    assert.deepEqual(closed, ['succeeded']);
    assert.equal(sockets.length, 1);
    stream.start();
    assert.equal(sockets.length, 1);
    assert.deepEqual(fetched, []);
  });

  it('lets go of the line while nobody looks', async t => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    stream.start();
    sockets[0]?.say(event(1, 'a'));
    stream.stop();
    assert.equal(sockets[0]?.closed, true);
    assert.deepEqual(seen, [1]);
    await pass(t, 60000);
    assert.deepEqual(fetched, []);
    stream.start();
    assert.equal(sockets[1]?.afterSeq, 1);
  });

  it('polls to the end where no WebSocket is let through, and never says that the line is lost', async t => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    stored = [event(1, 'run.queued'), event(2, 'run.started')];
    stream.start();
    sockets[0]?.onclose?.();
    await settled();
    assert.deepEqual(seen, [1, 2]);
    stored.push(event(3, 'run.progress'));
    await pass(t, 1000);
    sockets[1]?.onclose?.();
    await settled();
    assert.deepEqual(seen, [1, 2, 3]);
    stored.push(event(4, 'run.succeeded'));
    ended = 'succeeded';
    await pass(t, 5000);
    assert.deepEqual(seen, [1, 2, 3, 4]);
    assert.deepEqual(closed, ['succeeded']);
    assert.ok(!line.includes(false));
    const asked = fetched.length;
    await pass(t, 60000);
    assert.equal(fetched.length, asked);
  });

  it('polls beside a WebSocket that neither opens nor closes', async t => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    stored = [event(1, 'run.queued')];
    stream.start();
    await pass(t, 3000);
    assert.deepEqual(seen, [1]);
    assert.equal(sockets[0]?.closed, false);
    sockets[0]?.onopen?.();
    const asked = fetched.length;
    await pass(t, 1999);
    assert.equal(fetched.length, asked);
  });

  it('polls where the page may not open a WebSocket at all', async t => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    stored = [event(1, 'run.queued')];
    const forbidden = new EventStream({
      open: () => {
        throw new Error('SecurityError');
      },
      fetch: seq => Promise.resolve({ events: stored.filter(one => one.seq > seq), status: ended }),
      onEvents: events => seen.push(...events.map(one => one.seq)),
      onLine: error => line.push(error === null),
      onClosed: status => closed.push(status)
    });
    forbidden.start();
    await settled();
    assert.deepEqual(seen, [1]);
    forbidden.stop();
  });

  it('does not believe a WebSocket that is open and keeps events back', async t => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    stored = [event(1, 'run.queued')];
    stream.start();
    sockets[0]?.onopen?.();
    await pass(t, 2000);
    assert.deepEqual(seen, [1]);
    assert.equal(sockets[0]?.closed, true);
    await pass(t, 1000);
    sockets[1]?.onopen?.();
    stored.push(event(2, 'run.started'));
    await pass(t, 1500);
    assert.deepEqual(seen, [1, 2], 'it is polled for beside the next one too');
    // one that brings something is believed again
    sockets[1]?.say(event(3, 'run.progress'));
    const asked = fetched.length;
    await pass(t, 14000);
    assert.equal(fetched.length, asked);
  });

  it('leaves a silent WebSocket alone while there is no news', async t => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    stream.start();
    sockets[0]?.onopen?.();
    sockets[0]?.say(event(1, 'run.queued'));
    stored = [event(1, 'run.queued')];
    await pass(t, 15000);
    await pass(t, 15000);
    assert.equal(fetched.length, 2);
    assert.equal(sockets.length, 1);
    assert.deepEqual(line, [true]);
  });

  it('says that the server is lost only where neither way leads to it, and hurries when it is back', async t => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    trouble = new NetworkError('down');
    stream.start();
    sockets[0]?.onclose?.();
    for (let n = 0; n < 12; n += 1) {
      await pass(t, 10000);
      sockets.at(-1)?.onclose?.();
      await settled();
    }
    assert.ok(!line.includes(true));
    trouble = null;
    await pass(t, 30000);
    assert.equal(line.at(-1), true);
    const before = sockets.length;
    sockets.at(-1)?.onclose?.();
    await pass(t, 1000);
    assert.ok(sockets.length > before);
  });

  it('is over where the run is not there any more', async t => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    trouble = new ResponseError(404, 'There is no such run.', 'not_found');
    stream.start();
    sockets[0]?.onclose?.();
    await settled();
    assert.deepEqual(closed, ['deleted']);
  });
});

/** A server that a test moves by hand, and that lets no WebSocket through. */
class FakeRunApi implements IRunApi {
  readonly clockOffset = 0;
  failure: Error | null = null;
  row: IRunDetail = {
    ...run('r1'),
    leaderboard: [],
    snapshot: { task: 'classification', data_changes: [], setup_params: {}, plan_params: {} }
  } as unknown as IRunDetail;
  stored: IRunEvent[] = [];
  readonly calls: string[] = [];

  mayWriteIn = () => this._answer('mayWriteIn', true);
  /** the run that keeps a model, as it is read one time after the other */
  keepers: IRunDetail[] = [];
  run = (id: string) =>
    this._answer('run', id === 'k1' ? (this.keepers.shift() as IRunDetail) : this.row);
  keep = (_: string, modelId: string) =>
    this._answer('keep', {
      ...this.row,
      id: 'k1',
      plan: 'keep',
      model_id: modelId,
      status: 'queued' as const
    });
  events = (_: string, seq: number) =>
    this._answer('events', {
      events: this.stored.filter(one => one.seq > seq),
      status: isUnfinished(this.row) ? null : this.row.status
    });
  experiment = () =>
    this._answer(
      'experiment',
      experiment('e1', { name: 'juice', task: 'classification', target: 'y' })
    );
  source = () => Promise.reject(new Error('not in this fake'));
  metrics = () => this._answer('metrics', []);
  models = () => this._answer('models', []);
  cancel = () => this._answer('cancel', this.row);
  plots = () => this._answer('plots', []);
  plotNames = () => this._answer('plotNames', []);
  plot = () => this._answer('plot', null);
  notebook = () => this._answer('notebook', null);
  pipelines = () => this._answer('pipelines', { rows: [], more: false });
  promote = (_: string, name: string, modelId: string | null) =>
    this._answer(`promote ${modelId}`, {
      id: 'p1',
      name,
      model_id: modelId ?? 'lr',
      origin_run_id: 'r1'
    } as IPipeline);
  stream(): WebSocket {
    throw new Error('A proxy lets no WebSocket through.');
  }

  private _answer<T>(call: string, answer: T): Promise<T> {
    this.calls.push(call);
    return this.failure ? Promise.reject(this.failure) : Promise.resolve(answer);
  }
}

describe('a model that is kept after the run', () => {
  let api: FakeRunApi;
  let model: RunModel;
  const board = (kept: ReadonlyArray<string>): ILeaderboardRow[] =>
    ['lr', 'dt'].map(id => ({ ...row(id, 0.7), kept: kept.includes(id) }) as ILeaderboardRow);
  const keeper = (patch: Partial<IRunDetail>): IRunDetail => ({ ...api.row, id: 'k1', ...patch });

  beforeEach(async () => {
    api = new FakeRunApi();
    api.row = { ...api.row, status: 'succeeded', executor: 'kernel', leaderboard: board(['lr']) };
    model = new RunModel('r1', api, trans);
    await model.load();
  });

  afterEach(() => model.dispose());

  it('is kept, and the row says so', async t => {
    t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
    api.keepers = [keeper({ status: 'running' }), keeper({ status: 'succeeded' })];
    const kept = model.keep('dt');
    assert.deepEqual(Object.keys(model.state.keeping), ['dt']);
    await settled();
    api.row = { ...api.row, leaderboard: board(['lr', 'dt']) };
    await pass(t, 1000);
    await pass(t, 1000);
    assert.equal(await kept, true);
    assert.deepEqual(model.state.keeping, {});
    assert.equal(model.state.rows[1]?.kept, true);
  });

  it('says why where it is not', async t => {
    t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
    api.keepers = [keeper({ status: 'failed', error: 'The table is gone.' })];
    const kept = model.keep('dt');
    await settled();
    await pass(t, 1000);
    assert.equal(await kept, false);
    assert.equal(model.state.notice, 'The table is gone.');
    assert.deepEqual(model.state.keeping, {});
  });

  it('is kept first where it is to be promoted', async t => {
    t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
    api.keepers = [keeper({ status: 'succeeded' })];
    const promoted = model.promote('juice', 'dt');
    await settled();
    await pass(t, 1000);
    await promoted;
    assert.equal(model.state.promoted?.model_id, 'dt');
    assert.ok(api.calls.indexOf('keep') < api.calls.indexOf('promote dt'));
  });

  it('is promoted at once where it is kept', async () => {
    await model.promote('juice');
    assert.ok(api.calls.includes('promote null'));
    assert.ok(!api.calls.includes('keep'));
  });
});

describe('a run whose WebSocket is blocked', () => {
  let api: FakeRunApi;
  let model: RunModel;
  let learned: RunNews[];

  beforeEach(() => {
    api = new FakeRunApi();
    model = new RunModel('r1', api, trans);
    learned = [];
    model.learned.connect((_, news) => learned.push(news));
  });

  afterEach(() => model.dispose());

  it('is followed to its end, without a word of a lost connection', async t => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const online: boolean[] = [];
    model.changed.connect(() => online.push(model.state.online));
    model.setActive(true);
    await settled();
    api.stored.push(event(1, 'model.scored', row('lr', 0.7)));
    t.mock.timers.tick(1500);
    await settled();
    assert.equal(model.state.rows[0]?.model_id, 'lr');
    assert.equal(learned.at(-1)?.metrics_summary.best?.value, 0.7);
    api.stored.push(event(2, 'run.succeeded'));
    api.row = { ...api.row, status: 'succeeded', leaderboard: [row('lr', 0.7)] };
    t.mock.timers.tick(5000);
    await settled();
    assert.equal(model.state.run?.status, 'succeeded');
    assert.equal(learned.at(-1)?.status, 'succeeded');
    assert.ok(!online.includes(false));
    assert.equal(model.state.notice, null);
  });

  it('reads the row of an ended run until the server answers', async t => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    model.setActive(true);
    await settled();
    api.stored.push(event(1, 'run.failed', { error: 'One class.', error_kind: 'user' }));
    api.row = { ...api.row, status: 'failed' };
    const events = api.events;
    api.events = (id, seq) => {
      const page = events(id, seq);
      api.failure = new NetworkError('down');
      return page;
    };
    t.mock.timers.tick(1500);
    await settled();
    assert.equal(model.state.run?.error, 'One class.');
    assert.equal(model.state.online, false);
    assert.equal(model.state.notice, null);
    api.failure = null;
    t.mock.timers.tick(1000);
    await settled();
    assert.equal(model.state.online, true);
    assert.ok(api.calls.includes('plots'));
  });

  it('says what the server says where it is reached and cannot answer', async t => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    model.setActive(true);
    await settled();
    api.failure = new ResponseError(503, 'The database is being migrated.', 'unavailable');
    t.mock.timers.tick(1500);
    await settled();
    assert.equal(model.state.reason, 'The database is being migrated.');
    api.failure = new SignedOut(401, 'Sign in first.', 'unauthenticated');
    t.mock.timers.tick(5000);
    await settled();
    assert.deepEqual([model.state.signedOut, model.state.reason], [true, null]);
  });

  it('is gone from the view where somebody deleted it', async t => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    model.setActive(true);
    await settled();
    api.failure = new ResponseError(404, 'There is no such run.', 'not_found');
    t.mock.timers.tick(1500);
    await settled();
    assert.equal(model.state.phase, 'missing');
  });

  it('shows that somebody else has asked for its end', () => {
    const state = after(fresh, [event(1, 'run.started'), event(2, 'run.cancel_requested')]);
    assert.equal(state.cancelling, true);
    assert.equal(after(state, [event(3, 'run.cancelled')]).cancelling, false);
  });

  it('learns nothing while nobody looks', async () => {
    model.setActive(true);
    await settled();
    const told = learned.length;
    model.setActive(false);
    await model.load();
    await settled();
    assert.equal(learned.length, told);
  });
});
