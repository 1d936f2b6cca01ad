import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { ResponseError } from '../src/api/errors';
import type {
  IApiKey,
  IDeployment,
  IMadeApiKey,
  INewApiKey,
  IPage,
  IPipeline,
  IRunDetail
} from '../src/api/rows';
import type { IAnswer, IInputSchema, IServingApi } from '../src/api/serving';
import { curlOf, magicOf, pythonOf, quoted } from '../src/deployment/calls';
import { ago, ahead } from '../src/common/words';
import { read, thresholdOf } from '../src/deployment/fields';
import { DeploymentModel } from '../src/deployment/model';
import { freeKeyName, keysFor } from '../src/deployment/openers';
import { trans } from './texts';

const SCHEMA: IInputSchema = {
  row: {
    type: 'object',
    properties: {
      width: { type: ['number', 'null'] },
      rooms: { type: ['integer', 'null'] },
      sunny: { type: ['boolean', 'null'] },
      town: { type: ['string', 'null'] },
      size: { type: ['string', 'null'], examples: ['S', 'M'] }
    },
    required: ['width', 'rooms', 'sunny', 'town', 'size']
  },
  example: { width: 1.5, rooms: 2, sunny: true, town: "L'Aquila", size: 'M' },
  labels: ['a', 'b']
};

const TIME = '2024-11-23T12:00:00Z';
const DEPLOYMENT: IDeployment = {
  id: 'd1',
  created_at: TIME,
  updated_at: TIME,
  workspace_id: 'w1',
  pipeline_id: 'm1',
  endpoint_slug: 'iris',
  status: 'active',
  auth_mode: 'workspace',
  threshold: null,
  ready: true,
  load_ms: 12,
  inference_count: 1,
  error_count: 0,
  last_inference_at: null,
  p50_latency_ms: null,
  p95_latency_ms: null,
  created_by: null
};

const PIPELINES = [
  { id: 'm1', name: 'iris', version: 1, origin_run_id: 'r1', model_id: 'lr' },
  { id: 'm3', name: 'iris', version: 3, origin_run_id: null, model_id: 'nb' },
  { id: 'm9', name: 'wine', version: 9, origin_run_id: null, model_id: 'nb' },
  { id: 'm2', name: 'iris', version: 2, origin_run_id: 'r0', model_id: 'nb' }
].map(row => ({ ...row, workspace_id: 'w1' })) as unknown as ReadonlyArray<IPipeline>;

const KEY: IApiKey = {
  id: 'k0',
  created_at: TIME,
  updated_at: TIME,
  name: 'web shop',
  workspace_id: 'w1',
  deployment_id: 'd1',
  scopes: ['predict'],
  prefix: 'pck_x',
  expires_at: null,
  last_used_at: null,
  revoked_at: null,
  created_by: null
};

class FakeServing implements IServingApi {
  readonly clockOffset = 0;
  sent: Array<{ row: object; proba: boolean }> = [];
  refusal: Error | null = null;
  asked: INewApiKey[] = [];
  rows: IApiKey[] = [KEY];
  shape = SCHEMA;
  row = DEPLOYMENT;

  pipeline(id: string): Promise<IPipeline> {
    const found = PIPELINES.find(one => one.id === id);
    return found ? Promise.resolve(found) : Promise.reject(new ResponseError(404, 'gone'));
  }

  mayWriteIn(): Promise<boolean> {
    return Promise.resolve(true);
  }

  run(id: string): Promise<IRunDetail> {
    const board = [{ model_id: 'lr', name: 'Logistic Regression' }];
    return id === 'r1'
      ? Promise.resolve({ leaderboard: board } as unknown as IRunDetail)
      : Promise.reject(new ResponseError(404, 'gone'));
  }

  pipelines(): Promise<IPage<IPipeline>> {
    return Promise.resolve({ rows: PIPELINES, more: false });
  }

  deploy(): Promise<IDeployment> {
    return Promise.resolve(this.row);
  }

  deployment(): Promise<IDeployment> {
    return this.refusal ? Promise.reject(this.refusal) : Promise.resolve(this.row);
  }

  patch(_: string, change: Partial<IDeployment>): Promise<IDeployment> {
    this.row = { ...this.row, ...change };
    return Promise.resolve(this.row);
  }

  schema(): Promise<IInputSchema> {
    return Promise.resolve(this.shape);
  }

  predict(_: string, row: object, proba: boolean): Promise<IAnswer> {
    if (this.refusal) {
      return Promise.reject(this.refusal);
    }
    this.sent.push({ row, proba });
    return Promise.resolve({
      deployment_id: 'd1',
      endpoint_slug: 'iris',
      request_id: 'q1',
      predictions: [{ index: 0, prediction: 'a' }],
      warnings: [],
      latency_ms: 8
    });
  }

  keys(): Promise<IPage<IApiKey>> {
    return Promise.resolve({ rows: this.rows, more: false });
  }

  createKey(key: INewApiKey): Promise<IMadeApiKey> {
    this.asked.push(key);
    const row = {
      ...KEY,
      ...key,
      id: 'k1',
      deployment_id: key.deployment_id ?? null,
      expires_at: key.expires_at ?? null
    };
    this.rows = [row, ...this.rows];
    return Promise.resolve({ ...row, key: 's3' });
  }

  revokeKey(id: string): Promise<void> {
    this.rows = this.rows.filter(row => row.id !== id);
    return Promise.resolve();
  }

  address(slug: string): string {
    return `http://here/${slug}`;
  }
}

let api: FakeServing;
let model: DeploymentModel;

beforeEach(async () => {
  api = new FakeServing();
  model = new DeploymentModel('d1', api, trans);
  await model.reload();
});

afterEach(() => model.dispose());

const names = () => model.state.keys?.map(key => key.name);

describe('a deployment', () => {
  it('is tried with its example at first, and answers', async () => {
    await model.predict();
    assert.deepEqual(api.sent, [{ row: SCHEMA.example, proba: true }]);
    assert.equal(model.state.answer?.predictions[0]?.prediction, 'a');
  });

  it('sends nothing while a number is none, and says which', async () => {
    model.set('width', 'wide');
    model.set('rooms', '2.5');
    await model.predict();
    assert.deepEqual(model.state.errors, {
      width: 'This is not a number.',
      rooms: 'Only whole numbers are taken.'
    });
    assert.deepEqual(api.sent, []);
  });

  it('says why the server refuses a row', async () => {
    api.refusal = new ResponseError(422, 'Row 0: width is missing.', 'rows');
    await model.predict();
    assert.equal(model.state.refusal, 'Row 0: width is missing.');
    assert.equal(model.state.answer, null);
  });

  it('keeps its rows when the server is lost, and says that they are old', async () => {
    api.refusal = new ResponseError(500, 'broken');
    await model.reload().catch(() => undefined);
    assert.equal(model.state.phase, 'live');
    assert.equal(model.state.online, false);
    api.refusal = null;
    await model.reload();
    assert.equal(model.state.online, true);
  });

  it('makes a key that opens nothing else, tells it once, and lists it', async () => {
    await model.change({ auth_mode: 'api-key' });
    assert.deepEqual(names(), ['web shop']);
    await model.createKey('nightly', 30);
    assert.equal(model.state.made?.key, 's3');
    assert.deepEqual(names(), ['nightly', 'web shop']);
    assert.deepEqual(api.asked[0]?.scopes, ['predict']);
    assert.equal(api.asked[0]?.deployment_id, 'd1');
    const days = (Date.parse(api.asked[0]?.expires_at ?? '') - Date.now()) / 86_400_000;
    assert.equal(Math.round(days), 30);

    await model.revokeKey('k1');
    assert.equal(model.state.made, null);
    assert.deepEqual(names(), ['web shop']);
  });

  it('reads a threshold as a probability, and nothing as that of the model', () => {
    assert.deepEqual(['0.3', ' 0,25 ', '1', ''].map(thresholdOf), [0.3, 0.25, 1, null]);
    assert.deepEqual(['30', '-1', 'half', '30 %'].map(thresholdOf), Array(4).fill(undefined));
  });

  it('is called as the engine calls its model', () => {
    assert.equal(model.state.modelName, 'Logistic Regression');
  });

  it('asks for no keys where they open nothing', () => {
    assert.equal(model.state.keys, null);
  });

  it('offers the versions of its own model, and serves another one', async () => {
    const versions = await model.versions();
    assert.deepEqual(
      versions?.map(one => one.version),
      [3, 2, 1]
    );
    await model.predict();
    model.set('town', 'Rome');
    const { width, town } = SCHEMA.row.properties;
    api.shape = {
      ...SCHEMA,
      row: { ...SCHEMA.row, properties: { width, town, depth: { type: 'number' } } },
      example: { width: 9, town: 'Oslo', depth: 4 }
    } as IInputSchema;
    await model.serve('m2');
    assert.equal(model.state.deployment?.pipeline_id, 'm2');
    assert.equal(model.state.pipeline?.version, 2);
    assert.equal(model.state.modelName, 'nb');
    assert.equal(model.state.answer, null);
    assert.deepEqual(model.state.texts, { width: '1.5', town: 'Rome', depth: '4' });
  });

  it('can be paused', async () => {
    await model.change({ status: 'paused' });
    assert.equal(model.state.deployment?.status, 'paused');
  });
});

describe('keys', () => {
  it('of a deployment are its own, and those of its workspace that predict', () => {
    const keys: IApiKey[] = [
      KEY,
      { ...KEY, id: 'another one’s', deployment_id: 'd2' },
      { ...KEY, id: 'wide', deployment_id: null, scopes: ['read', 'write'] },
      { ...KEY, id: 'reader', deployment_id: null, scopes: ['read'] },
      { ...KEY, id: 'elsewhere', deployment_id: null, workspace_id: 'w2' },
      { ...KEY, id: 'revoked', revoked_at: TIME }
    ];
    assert.deepEqual(
      keysFor(DEPLOYMENT, keys).map(key => key.id),
      ['k0', 'wide']
    );
  });

  it('get a name that none of them has', () => {
    const called = (name: string): IApiKey => ({ ...KEY, name });
    assert.equal(freeKeyName('iris', []), 'iris key');
    assert.equal(freeKeyName('iris', [called('iris key'), called('iris key 2')]), 'iris key 3');
  });
});

describe('spans', () => {
  it('are told in one unit', () => {
    const [second, hour] = [1000, 3_600_000];
    assert.deepEqual(
      [-5, 2 * second, 61 * second, 3 * hour, 50 * hour].map(ms => ago(ms, trans)),
      ['0 s ago', '2 s ago', '1 min ago', '3 h ago', '2 days ago']
    );
    assert.deepEqual(
      [90 * second, 3 * hour, 90 * 24 * hour - second].map(ms => ahead(ms, trans)),
      ['in 2 min', 'in 3 h', 'in 90 days']
    );
  });
});

describe('fields', () => {
  it('become a row with the types of the schema; empty is missing', () => {
    const texts = { width: '1,5', rooms: '3', sunny: 'false', town: 'Rome', size: '' };
    assert.deepEqual(read(SCHEMA, texts).row, {
      width: 1.5,
      rooms: 3,
      sunny: false,
      town: 'Rome',
      size: null
    });
    assert.deepEqual(read(SCHEMA, {}).row, {
      width: null,
      rooms: null,
      sunny: null,
      town: null,
      size: null
    });
  });
});

describe('the call', () => {
  const call = { url: "http://here/it's", row: SCHEMA.example, access: 'workspace' as const };

  it('is one line for a shell, whatever stands in the row', () => {
    const line = curlOf({ ...call, secret: 't' }).replace(/^curl/, 'printf "%s\\n"');
    const words = execFileSync('sh', ['-c', line], { encoding: 'utf8' }).trim().split('\n');
    assert.deepEqual(words, [
      '-X',
      'POST',
      "http://here/it's",
      '-H',
      'Authorization: token t',
      '-H',
      'Content-Type: application/json',
      '-d',
      JSON.stringify({ rows: [SCHEMA.example] })
    ]);
    assert.equal(quoted("a'b"), "'a'\\''b'");
  });

  it('names a variable where nobody gave the secret, and nothing where all may call', () => {
    assert.match(curlOf({ ...call, secret: null }), /token \$JUPYTER_TOKEN"/);
    assert.match(curlOf({ ...call, access: 'api-key', secret: null }), /Bearer \$PYCARET_KEY"/);
    assert.doesNotMatch(curlOf({ ...call, access: 'public', secret: null }), /Authorization/);
  });

  it('is two lines in a notebook', () => {
    assert.equal(magicOf('iris'), '%load_ext jupyter_pycaret_ops\n%pcrun predict iris --data df');
  });

  it('is Python with Python values', () => {
    const row = { a: null, b: true, c: 'x', d: [1.5, { e: false }] };
    assert.equal(
      pythonOf({ ...call, slug: 'iris', row, proba: true }),
      [
        'from jupyter_pycaret_ops import Client',
        '',
        'client = Client()',
        'answer = client.deployments.predict(',
        '    "iris",',
        '    [{"a": None, "b": True, "c": "x", "d": [1.5, {"e": False}]}],',
        '    proba=True,',
        ')',
        'answer["predictions"]'
      ].join('\n')
    );
    assert.doesNotMatch(pythonOf({ ...call, slug: 'iris', row, proba: false }), /proba/);
  });
});
