import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import {
  errorFor,
  NetworkError,
  ResponseError,
  sentenceOf,
  ServerPartMissing,
  SignedOut
} from '../src/api/errors';
import { formatEnd, formatScore, formatSize, formatSpan } from '../src/common/format';
import { doomedOf } from '../src/sidePanel/doomed';
import { type IMemory, SidePanelModel } from '../src/sidePanel/model';
import { freeName, isTaken } from '../src/sidePanel/uploads';
import { FakeApi, run, source, workspace } from './fakeApi';

/** Texts with their gaps filled, as a language pack would. */
const fill = (text: string, ...gaps: string[]): string =>
  gaps.reduce((filled, gap, i) => filled.replace(`%${i + 1}`, gap), text);
const trans = { __: fill } as unknown as SidePanelModel.IOptions['trans'];

const file = (name: string): File => new File(['a,b\n1,2\n'], name);
const settled = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

let api: FakeApi;
let model: SidePanelModel;
let said: string[];
let memories: IMemory[];
let now: number;

function make(memory: IMemory | null = null): SidePanelModel {
  model = new SidePanelModel({
    api,
    trans,
    memory: Promise.resolve(memory),
    remember: one => memories.push(one),
    clock: () => now
  });
  model.said.connect((_, sentence) => said.push(sentence));
  return model;
}

beforeEach(() => {
  api = new FakeApi();
  said = [];
  memories = [];
  now = 0;
  make();
});

afterEach(() => model.dispose());

describe('reading', () => {
  it('shows the rows of the first workspace and project', async () => {
    api.sources = [source('juice.csv')];
    await model.reload();
    assert.equal(model.state.phase, 'live');
    assert.equal(model.state.workspaceId, 'w1');
    assert.equal(model.state.projectId, 'p-w1');
    assert.deepEqual(
      model.state.data.rows.map(row => row.name),
      ['juice.csv']
    );
  });

  it('keeps the same state object while nothing changes', async () => {
    api.allRuns = [run('r1')];
    await model.reload();
    const { state } = model;
    await model.reload();
    assert.equal(model.state, state);
  });

  it('lights what has come since the first read, for a moment', async t => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    api.allRuns = [run('r1')];
    await model.reload();
    assert.deepEqual([...model.state.fresh], []);
    api.allRuns = [run('r2'), run('r1')];
    await model.reload();
    assert.deepEqual([...model.state.fresh], ['r2']);
    t.mock.timers.tick(1200);
    assert.deepEqual([...model.state.fresh], []);
  });

  it('comes back to the workspace of the last visit, if that is still there', async () => {
    api.spaces.push(workspace('w2'));
    make({ workspaceId: 'w2', projectId: null, folded: ['models'] });
    await model.reload();
    assert.equal(model.state.workspaceId, 'w2');
    assert.ok(model.state.folded.has('models'));
    api.spaces = [workspace('w1')];
    now += 60_000;
    await model.reload();
    assert.equal(model.state.workspaceId, 'w1');
    assert.equal(memories.at(-1)?.workspaceId, 'w1');
  });

  it('asks for names of experiments once', async () => {
    api.allRuns = [run('r1'), run('r2', { experiment_id: 'unknown' })];
    await model.reload();
    await model.reload();
    assert.equal(api.calls.filter(call => call === 'experiments').length, 1);
    assert.equal(model.state.experiments.get('e1')?.name, 'juice');
  });

  it('lets no late answer overwrite a newer one', async () => {
    let open: () => void = () => undefined;
    api.allRuns = [run('r1', { status: 'queued' })];
    api.gate = new Promise(resolve => (open = resolve));
    const late = model.reload();
    await settled();
    api.gate = null;
    api.allRuns = [run('r1')];
    await model.reload();
    open();
    await late;
    assert.equal(model.state.runs.rows[0]?.status, 'running');
  });

  it('says when there is no workspace yet', async () => {
    api.spaces = [];
    await model.reload();
    assert.equal(model.state.phase, 'noWorkspace');
    await model.createWorkspace('mine');
    await model.reload();
    assert.equal(model.state.workspaceId, 'mine');
  });

  it('asks nothing while nobody can see it', async () => {
    model.refresh();
    await settled();
    assert.deepEqual(api.calls, []);
  });
});

describe('trouble', () => {
  it('keeps the rows when the connection is lost, and says so once', async () => {
    api.sources = [source('juice.csv')];
    now = 5000;
    await model.reload();
    api.failure = new NetworkError('down');
    await assert.rejects(model.reload());
    await assert.rejects(model.reload());
    assert.equal(model.state.data.rows.length, 1);
    assert.equal(model.state.lost?.asOf, 5000);
    assert.deepEqual(said, ['Connection lost.']);
    api.failure = null;
    await model.reload();
    assert.equal(model.state.lost, null);
    assert.deepEqual(said, ['Connection lost.', 'Connected again.']);
  });

  it('knows a server without our part from a row that is not there', async () => {
    assert.ok(errorFor(404, null) instanceof ServerPartMissing);
    assert.ok(!(errorFor(404, { message: 'm', reason: 'not_found' }) instanceof ServerPartMissing));
    api.failure = errorFor(404, null);
    await assert.rejects(model.reload());
    assert.equal(model.state.phase, 'missing');
  });

  it('knows an expired login from a lack of rights', async () => {
    assert.ok(errorFor(403, { message: 'Forbidden', reason: null }) instanceof SignedOut);
    assert.ok(!(errorFor(403, { message: 'm', reason: 'forbidden' }) instanceof SignedOut));
    api.failure = errorFor(401, { message: 'm', reason: 'unauthenticated' });
    await assert.rejects(model.reload());
    assert.equal(model.state.phase, 'signedOut');
  });

  it('hands on what the server says when it cannot serve', async () => {
    api.failure = new ResponseError(503, 'Run jupyter pycaret-ops db upgrade.', 'unavailable');
    await assert.rejects(model.reload());
    assert.equal(model.state.trouble, 'Run jupyter pycaret-ops db upgrade.');
  });

  it('makes one sentence of a bad body', () => {
    const errors = [{ loc: ['name'], msg: 'is taken' }];
    assert.equal(sentenceOf(new ResponseError(400, 'Bad.', 'validation', errors)), 'Bad: is taken');
  });
});

describe('runs', () => {
  it('cancels at once on the row, and follows the server after that', async () => {
    api.allRuns = [run('r1')];
    await model.reload();
    const asked = model.cancelRun('r1');
    assert.ok(model.state.cancelling.has('r1'));
    await asked;
    await model.reload();
    assert.ok(model.state.cancelling.has('r1'));
    api.allRuns = [run('r1', { status: 'cancelled' })];
    await model.reload();
    assert.equal(model.state.cancelling.size, 0);
    assert.deepEqual(said, ['juice was cancelled.']);
  });

  it('gives the button back when cancel did not work', async () => {
    await model.reload();
    await model.cancelRun('r9');
    assert.equal(model.state.cancelling.size, 0);
    assert.equal(model.state.notice, 'There is no such run.');
  });

  it('tells of the end of a run, with its best model', async () => {
    api.allRuns = [run('r1')];
    await model.reload();
    const best = { model_id: 'lr', name: 'Logistic Regression', value: 0.83444 };
    api.allRuns = [
      run('r1', { status: 'succeeded', metrics_summary: { metric: 'Accuracy', best } })
    ];
    await model.reload();
    assert.deepEqual(said, ['juice succeeded. Best: Logistic Regression, Accuracy 0.8344.']);
  });

  it('deletes what has ended, and says so', async () => {
    api.allRuns = [run('r1', { status: 'running' }), run('r2', { status: 'succeeded' })];
    await model.reload();
    assert.equal(doomedOf(model.state, 'r1'), null);
    const doomed = doomedOf(model.state, 'r2');
    assert.ok(doomed);
    await model.delete(doomed);
    assert.ok(api.calls.includes('remove runs'));
    assert.deepEqual(
      model.state.runs.rows.map(row => row.id),
      ['r1']
    );
    assert.match(said.at(-1) ?? '', / deleted\.$/);
  });

  it('offers a viewer no actions', async () => {
    api.role = 'viewer';
    await model.reload();
    assert.equal(model.state.mayWrite, false);
    model.upload([file('a.csv')]);
    assert.deepEqual(model.state.uploads, []);
  });
});

describe('uploads', () => {
  beforeEach(() => model.reload());

  it('sends one file after the other and puts the row into the list', async () => {
    model.upload([file('a.csv'), file('b.csv')]);
    assert.equal(api.uploads.length, 1);
    api.uploads[0]?.onProgress(4, 8);
    const [b, a] = model.state.uploads;
    assert.deepEqual([a?.step, a?.sent, b?.step], ['sending', 4, 'waiting']);
    api.uploads[0]?.finish();
    await settled();
    assert.equal(api.uploads.length, 2);
    assert.deepEqual(
      model.state.data.rows.map(row => row.name),
      ['a.csv']
    );
    assert.deepEqual(said, ['a.csv uploaded, 3 rows.']);
  });

  it('refuses other kinds without asking the server', () => {
    model.upload([file('photo.png')]);
    assert.equal(model.state.uploads[0]?.step, 'refused');
    assert.equal(api.uploads.length, 0);
    model.dismissUpload(model.state.uploads[0]?.id ?? '');
    assert.equal(model.state.uploads.length, 0);
  });

  it('shows why the server refused', async () => {
    model.upload([file('a.csv')]);
    api.uploads[0]?.refuse(new ResponseError(400, 'Line 7 has 9 values, the header has 5.'));
    await settled();
    assert.equal(model.state.uploads[0]?.reason, 'Line 7 has 9 values, the header has 5.');
  });

  it('stops an upload and goes on with the next', async () => {
    model.upload([file('a.csv'), file('b.csv')]);
    const first = api.uploads[0];
    model.stopUpload(model.state.uploads[1]?.id ?? '');
    assert.ok(first?.signal.aborted);
    first?.refuse(new Error('aborted'));
    await settled();
    assert.deepEqual(
      model.state.uploads.map(row => row.filename),
      ['b.csv']
    );
    assert.equal(api.uploads.length, 2);
  });

  it('gives a second file of one name a free name', () => {
    assert.equal(freeName('a.csv', new Set()), 'a.csv');
    assert.equal(freeName('a.csv', new Set(['a.csv', 'a (2).csv'])), 'a (3).csv');
    assert.equal(freeName(`${'x'.repeat(200)}.csv`, new Set()).length, 128);
  });

  it('takes CSV, Parquet and Excel files, whatever the case', () => {
    assert.ok(
      isTaken('A.CSV') &&
        isTaken('b.tsv') &&
        isTaken('C.Parquet') &&
        isTaken('c.xlsx') &&
        !isTaken('c.ods')
    );
  });
});

describe('figures', () => {
  it('writes scores with fixed decimals, and a dash for none', () => {
    assert.equal(formatScore(0.98), '0.9800');
    assert.equal(formatScore(4381.24), '4,381.2');
    assert.equal(formatScore(null), '–');
  });

  it('writes sizes in the unit that they have', () => {
    assert.deepEqual([16, 78_131, 3_145_728].map(formatSize), ['16 B', '76.3 KiB', '3.0 MiB']);
  });

  it('writes the ends of a scale short', () => {
    assert.deepEqual([0.6612, -3.25, 4381.24].map(formatEnd), ['0.66', '-3.3', '4,381']);
  });

  it('writes spans as a clock does', () => {
    assert.equal(formatSpan(24_900), '0:24');
    assert.equal(formatSpan(3_725_000), '1:02:05');
    assert.equal(formatSpan(-5), '0:00');
  });
});
