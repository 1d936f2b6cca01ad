import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { INotice } from '../src/api/data';
import { ResponseError } from '../src/api/errors';
import { columnsOf, hasPicker, pickedParams } from '../src/newRun/columns';
import { labelsOf, twinsOf } from '../src/newRun/labels';
import { NewRunModel } from '../src/newRun/model';
import { askedOf } from '../src/newRun/notices';
import { run, source } from './fakeApi';
import { category, column, profileOf, version } from './fakeData';
import { FakeTraining } from './fakeTraining';
import { settled, trans } from './texts';

const PROFILE = profileOf(
  [
    category('Id', {}, { type: 'identifier', distinct: 10 }),
    column('Price'),
    category('City', { Gent: 7, Lyon: 3 }),
    category('Currency', { EUR: 10 }, { type: 'constant' }),
    category('Left', { No: 6, Yes: 3, yes: 1 })
  ],
  { suggestion: { target: 'Left', task: 'classification', reason: 'It has labels.' } }
);

const LEAK: INotice = {
  code: 'leak',
  column: 'Price',
  message: 'Price predicts Left almost alone.',
  setup_params: { ignore_features: ['Price'] }
};

let api: FakeTraining;
let model: NewRunModel;

async function load(patch: Partial<NewRunModel.IOptions> = {}): Promise<void> {
  model = new NewRunModel({ api, trans, workspaceId: 'w1', projectId: 'p1', ...patch });
  await model.load();
  await settled();
}

const setup = (): unknown => api.sent.at(-1)?.setup_params;

beforeEach(() => {
  api = new FakeTraining();
  api.whole = PROFILE;
});

afterEach(() => model.dispose());

describe('columns in the form for a new run', () => {
  it('come from the profile, with its target; identifiers and constants are left out', async () => {
    await load();
    assert.equal(model.state.target, 'Left');
    assert.deepEqual(
      columnsOf(model.state).map(({ name, type, isUsed }) => [name, type, isUsed]),
      [
        ['Id', 'identifier', false],
        ['Price', 'number', true],
        ['City', 'category', true],
        ['Currency', 'constant', false]
      ]
    );
    await model.submit();
    assert.deepEqual(setup(), {});
  });

  it('come from the preview as long as there is no profile', async () => {
    api.whole = null;
    await load();
    assert.equal(model.state.target, 'Purchase');
    assert.deepEqual(
      columnsOf(model.state).map(({ name, type }) => [name, type]),
      [['Id', 'category']]
    );
  });

  it('are sent as they were ticked and typed, each named once', async () => {
    await load();
    model.tick('Id', true);
    model.tick('City', false);
    model.setType('City', 'text');
    model.setType('Price', 'category');
    await model.submit();
    assert.deepEqual(setup(), {
      column_types: { Price: 'category' },
      ignore_features: ['City'],
      keep_features: ['Id']
    });
  });

  it('that are given another type than an identifier are used', async () => {
    await load();
    model.setType('Id', 'number');
    assert.deepEqual(pickedParams(model.state), { column_types: { Id: 'number' } });
  });

  it('have the types that are stored with the data, and say when these are taken back', async () => {
    api.data = [{ ...source('juice.csv'), types: { Price: 'category' } }];
    await load();
    assert.deepEqual(pickedParams(model.state), { column_types: { Price: 'category' } });
    model.setType('Price', 'number');
    assert.deepEqual(pickedParams(model.state), { column_types: { Price: 'number' } });
  });

  it('are used or left out together, those that a search shows', async () => {
    await load();
    model.tickAll(false, 'c');
    assert.deepEqual(pickedParams(model.state), { ignore_features: ['Price', 'City'] });
    model.tickAll(true, '');
    assert.deepEqual(pickedParams(model.state), { keep_features: ['Id', 'Currency'] });
  });

  it('are what another run was told', async () => {
    api.example = {
      ...run('r0', { data_source_id: 'source-juice.csv' }),
      leaderboard: [],
      snapshot: {
        task: 'classification',
        target: 'Left',
        setup_params: { column_types: { Price: 'category' }, ignore_features: ['City'], fold: 3 },
        plan: 'compare',
        plan_params: {},
        data_version: 1
      }
    } as unknown as NonNullable<FakeTraining['example']>;
    api.all = [version(2), version(1)];
    await load({ runId: 'r0' });
    assert.equal(model.state.version, 1);
    await model.submit();
    assert.deepEqual(setup(), {
      fold: 3,
      column_types: { Price: 'category' },
      ignore_features: ['City']
    });
    assert.equal(api.sent.at(-1)?.data_version, 1);
  });

  it('that the server refuses say why', async () => {
    await load();
    model.setType('Price', 'date');
    api.refusal = new ResponseError(400, 'Not valid.', 'validation', [
      { loc: ['setup_params', 'column_types', 'Price'], msg: 'Price is no date.' }
    ]);
    await model.submit();
    assert.deepEqual(model.state.errors, { 'column Price': 'Price is no date.' });
  });
});

describe('the version in the form for a new run', () => {
  it('is the newest, which is not named', async () => {
    api.all = [version(2), version(1)];
    await load({ sourceId: 'source-juice.csv', version: 2 });
    assert.equal(model.state.version, null);
    await model.submit();
    assert.equal(api.sent[0]?.data_version, undefined);
  });

  it('is named where it is another one', async () => {
    api.all = [version(2), version(1)];
    await load();
    model.chooseVersion(1);
    await settled();
    assert.equal(api.asked.at(-1)?.version, 1);
    await model.submit();
    assert.equal(api.sent[0]?.data_version, 1);
  });
});

describe('what was noticed in the data', () => {
  it('asks at its field, and is taken back', async () => {
    api.related = { ...PROFILE, notices: [LEAK] };
    await load();
    const [labels, leak] = askedOf(model.state, trans);
    assert.deepEqual([labels?.place, labels?.name], ['target', 'Treat as one']);
    assert.deepEqual([leak?.place, leak?.name], ['columns', 'Leave out Price']);
    model.answer(LEAK, true);
    assert.deepEqual(pickedParams(model.state), { ignore_features: ['Price'] });
    assert.equal(askedOf(model.state, trans)[1]?.isDone, true);
    model.answer(LEAK, false);
    assert.deepEqual(pickedParams(model.state), {});
  });

  it('joins labels that differ by case', async () => {
    await load();
    const [labels] = askedOf(model.state, trans);
    assert.ok(labels);
    model.answer(labels.notice, true);
    assert.equal(askedOf(model.state, trans)[0]?.done, 'yes counts as Yes in 1 row.');
    await model.submit();
    assert.deepEqual(setup(), { merge_levels: true });
    model.answer(labels.notice, false);
    await model.submit();
    assert.deepEqual(setup(), {});
  });

  it('has no button where the engine does not take it', async () => {
    const notice = { ...LEAK, code: 'groups', setup_params: { fold_groups: 'City' } };
    api.related = { ...PROFILE, notices: [notice] };
    await load();
    assert.equal(askedOf(model.state, trans)[1]?.isOffered, false);
  });

  it('counts labels as they are, and as one', () => {
    const levels = [
      { value: 'No', count: 6 },
      { value: 'Yes', count: 3 },
      { value: ' yes', count: 1 }
    ];
    assert.deepEqual(twinsOf(levels), [{ kept: 'Yes', others: [' yes'], rows: 1 }]);
    assert.equal(labelsOf(levels, false).length, 3);
    assert.deepEqual(labelsOf(levels, true), [
      { name: 'No', count: 6 },
      { name: 'Yes', count: 4 }
    ]);
  });
});

describe('a series in the form for a new run', () => {
  it('has its time column filled in', async () => {
    const dates = { type: 'date', min: '2020-01-01', max: '2021-01-01' };
    const leak = { ...LEAK, column: 'when', setup_params: { ignore_features: ['when'] } };
    api.whole = profileOf([column('when', dates), column('sales')], {
      notices: [leak],
      suggestion: { target: 'sales', task: 'time_series', reason: 'One number for each time.' }
    });
    await load();
    assert.equal(model.state.task, 'time_series');
    assert.equal(model.state.values.index, 'when');
    assert.deepEqual(columnsOf(model.state), []);
    assert.equal(hasPicker(model.state), false);
    assert.deepEqual(askedOf(model.state, trans), []);
  });
});
