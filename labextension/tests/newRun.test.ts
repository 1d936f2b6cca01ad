import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { ResponseError } from '../src/api/errors';
import type { IRunDetail } from '../src/api/rows';
import { NewRunModel } from '../src/newRun/model';
import { advancedOf, kindOf, parse } from '../src/newRun/params';
import { experiment as experimentOf, run } from './fakeApi';
import { FakeTraining, FOLD, INCLUDE, LIMIT, param, SORT } from './fakeTraining';
import { trans } from './texts';

let api: FakeTraining;
let model: NewRunModel;
let started: string[];

async function load(patch: Partial<NewRunModel.IOptions> = {}): Promise<void> {
  model = new NewRunModel({ api, trans, workspaceId: 'w1', projectId: 'p1', ...patch });
  model.started.connect((_, row) => started.push(row.id));
  await model.load();
}

/** A run that has no data source. */
function again(snapshot: object): IRunDetail {
  return {
    ...run('r0', { data_source_id: null }),
    leaderboard: [],
    snapshot: {
      task: 'classification',
      target: 'target',
      setup_params: { fold: 3 },
      plan: 'compare',
      model_id: null,
      plan_params: {},
      data_source_id: null,
      data_sha256: null,
      data_rows: 150,
      data_changes: [],
      seed: 1,
      versions: {},
      ...snapshot
    }
  } as unknown as IRunDetail;
}

beforeEach(() => {
  api = new FakeTraining();
  started = [];
});

describe('the form for a new run', () => {
  it('begins with the first data, the suggested target and task, and compare', async () => {
    await load();
    const { sourceId, target, task, plan, experiment } = model.state;
    assert.deepEqual(
      { sourceId, target, task, plan, experiment },
      {
        sourceId: 'source-juice.csv',
        target: 'Purchase',
        task: 'classification',
        plan: 'compare',
        experiment: 'juice-purchase'
      }
    );
  });

  it('sends what was chosen, minutes as seconds, and says which run it became', async () => {
    await load();
    assert.ok(model.addModel('Logistic Regression'));
    model.set('fold', '5');
    model.set('time_limit', '2');
    model.set('sort', 'Accuracy');
    await model.submit();
    assert.deepEqual(api.made[0], {
      name: 'juice-purchase',
      task: 'classification',
      target: 'Purchase',
      data_source_id: 'source-juice.csv'
    });
    assert.deepEqual(api.sent[0], {
      plan: 'compare',
      data_source_id: 'source-juice.csv',
      target: 'Purchase',
      plan_params: { include: ['lr'], time_limit: 120, sort: 'Accuracy' },
      setup_params: { fold: 5 }
    });
    assert.deepEqual(started, ['r1']);
  });

  it('sends nothing that the chosen plan does not take', async () => {
    await load();
    model.set('sort', 'Accuracy');
    model.addModel('lr');
    model.choosePlan('setup');
    await model.submit();
    assert.deepEqual(api.sent[0]?.plan_params, {});
  });

  it('knows no model that is not there', async () => {
    await load();
    assert.equal(model.addModel('XGBoost'), false);
    assert.equal(model.addModel('anything'), false);
    assert.deepEqual(model.state.include, []);
  });

  it('asks for a model where the plan needs one', async () => {
    await load();
    model.choosePlan('create');
    await model.submit();
    assert.equal(model.state.errors.model_id, 'Choose a model.');
    model.chooseModel('lr');
    await model.submit();
    assert.equal(api.sent[0]?.model_id, 'lr');
  });

  it('takes no target to a task without one', async () => {
    await load();
    await model.chooseTask('clustering');
    await model.submit();
    assert.equal(api.made[0]?.target, null);
    assert.equal('target' in (api.sent[0] ?? {}), false);
    assert.equal(api.made[0]?.name, 'juice-clustering');
  });

  it('goes on with an experiment that is about the same, and takes a free name else', async () => {
    api.known = [
      experimentOf('e1', { name: 'juice-purchase', task: 'regression', target: 'Purchase' })
    ];
    await load();
    assert.equal(model.state.experiment, 'juice-purchase-2');
    api.known = [
      experimentOf('e1', { name: 'juice-purchase', task: 'classification', target: 'Purchase' })
    ];
    await load();
    await model.submit();
    assert.equal(model.state.experiment, 'juice-purchase');
    assert.deepEqual(api.made, []);
  });

  it('says what is no number before it asks the server', async () => {
    await load();
    model.set('fold', 'ten');
    await model.submit();
    assert.equal(model.state.errors.fold, 'This is not a number.');
    model.set('fold', '2.5');
    await model.submit();
    assert.equal(model.state.errors.fold, 'Only whole numbers are taken.');
    assert.deepEqual(api.sent, []);
  });

  it('puts what the server finds beside its field, and the rest below', async () => {
    await load();
    api.refusal = new ResponseError(400, 'bad', 'validation', [
      { loc: ['setup_params', 'fold'], msg: 'At least 2.' }
    ]);
    await model.submit();
    assert.equal(model.state.errors.fold, 'At least 2.');
    assert.equal(model.state.trouble, null);
    api.refusal = new ResponseError(503, 'The server is full.');
    await model.submit();
    assert.equal(model.state.trouble, 'The server is full.');
    assert.equal(model.state.sending, false);
  });

  it('says that the data of a run is not kept here', async () => {
    api.example = again({});
    await load({ runId: 'r0' });
    assert.match(model.state.dataHint ?? '', /not kept here/);
    await model.submit();
    assert.match(model.state.errors.data_source_id ?? '', /Choose the data/);
    await model.chooseSource('source-juice.csv');
    assert.equal(model.state.dataHint, null);
    assert.equal(model.state.values.fold, '3');
  });

  it('does a run on a sample again, and starts one from nothing', async () => {
    api.example = again({ sklearn_dataset: 'iris' });
    await load({ runId: 'r0' });
    assert.equal(model.state.dataHint, null);
    await model.submit();
    assert.equal(api.sent[0]?.sklearn_dataset, 'iris');
    assert.equal('data_source_id' in (api.sent[0] ?? {}), false);
    assert.deepEqual(api.sent[0]?.setup_params, { fold: 3 });

    await load({ sourceId: 'sample:breast_cancer' });
    assert.equal(model.state.task, 'classification');
    assert.equal(model.state.experiment, 'breast-cancer-sample');
    await model.submit();
    assert.equal(api.sent[1]?.sklearn_dataset, 'breast_cancer');
    assert.equal(api.made.at(-1)?.target, 'target');
    assert.equal(api.made.at(-1)?.data_source_id, null);
  });

  it('begins with what another run was made from', async () => {
    api.known = [experimentOf('e1', { name: 'mine', task: 'classification', target: 'Id' })];
    api.example = {
      ...run('r0'),
      data_source_id: 'source-juice.csv',
      leaderboard: [],
      snapshot: {
        task: 'classification',
        target: 'Id',
        setup_params: { fold: 3 },
        plan: 'compare',
        model_id: null,
        plan_params: { include: ['lr'], time_limit: 60 },
        data_source_id: 'source-juice.csv',
        data_sha256: null,
        data_rows: 3,
        data_changes: [],
        seed: 1,
        versions: {}
      }
    };
    await load({ runId: 'r0' });
    await model.submit();
    assert.equal(model.state.experiment, 'mine');
    assert.deepEqual(api.sent[0]?.plan_params, { include: ['lr'], time_limit: 60 });
    assert.deepEqual(api.sent[0]?.setup_params, { fold: 3 });
    assert.equal(api.sent[0]?.target, 'Id');
  });

  it('says why there is no form, and makes it when asked again', async () => {
    api.failure = new ResponseError(503, 'The database is behind.');
    await load();
    assert.equal(model.state.phase, 'trouble');
    assert.equal(model.state.trouble, 'The database is behind.');
    api.failure = null;
    await model.load();
    assert.equal(model.state.phase, 'ready');
  });
});

describe('a parameter', () => {
  it('is asked for as its schema says', () => {
    assert.equal(kindOf(param('normalize', { type: 'boolean' })), 'flag');
    assert.equal(kindOf(param('method', { type: 'string', enum: ['a'] })), 'choice');
    assert.equal(kindOf(SORT), 'metric');
    assert.equal(kindOf(param('index', { type: ['string', 'null'] })), 'column');
    assert.equal(kindOf(FOLD), 'number');
    assert.equal(kindOf(INCLUDE), 'list');
    assert.equal(kindOf(param('grid', { type: ['object', 'null'] })), 'json');
  });

  it('is nothing where its field is empty', () => {
    assert.deepEqual(parse(FOLD, ' '), { value: undefined });
    assert.deepEqual(parse(INCLUDE, 'a, b'), { value: ['a', 'b'] });
    assert.deepEqual(parse(param('grid', { type: 'object' }), '{'), { fault: 'json' });
    const either = param('optimize_threshold', { type: ['string', 'object', 'null'] });
    assert.deepEqual(parse(either, 'Balanced Accuracy'), { value: 'Balanced Accuracy' });
    assert.deepEqual(parse(either, '{"fp": 1, "fn": 5}'), { value: { fp: 1, fn: 5 } });
    assert.deepEqual(parse(either, '{"fp": 1'), { fault: 'json' });
  });

  it('is advanced where it has no field of its own', () => {
    const params = [FOLD, LIMIT, SORT, INCLUDE, param('normalize', { type: 'boolean' })];
    assert.deepEqual(
      advancedOf(params).map(one => one.name),
      ['normalize']
    );
  });
});
