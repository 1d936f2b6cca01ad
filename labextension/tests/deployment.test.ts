import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { ResponseError } from '../src/api/errors';
import type { IDeployment, IMadeApiKey, INewApiKey, IPipeline } from '../src/api/rows';
import type { IAnswer, IInputSchema, IServingApi } from '../src/api/serving';
import { curlOf, pythonOf, quoted } from '../src/deployment/calls';
import { read } from '../src/deployment/fields';
import { DeploymentModel } from '../src/deployment/model';
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
  inference_count: 1,
  error_count: 0,
  last_inference_at: null,
  p50_latency_ms: null,
  p95_latency_ms: null,
  created_by: null
};

class FakeServing implements IServingApi {
  sent: Array<{ row: object; proba: boolean }> = [];
  refusal: Error | null = null;
  keys: INewApiKey[] = [];
  row = DEPLOYMENT;

  pipeline(): Promise<IPipeline> {
    return Promise.resolve({ id: 'm1', name: 'iris', version: 1 } as IPipeline);
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
    return Promise.resolve(SCHEMA);
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

  createKey(key: INewApiKey): Promise<IMadeApiKey> {
    this.keys.push(key);
    return Promise.resolve({
      id: 'k1',
      created_at: TIME,
      updated_at: TIME,
      name: key.name,
      workspace_id: key.workspace_id,
      deployment_id: key.deployment_id ?? null,
      scopes: key.scopes,
      prefix: 'p',
      key: 's3',
      expires_at: null,
      last_used_at: null,
      revoked_at: null,
      created_by: null
    });
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

  it('makes a key that opens nothing else', async () => {
    await model.createKey();
    assert.equal(model.state.key, 's3');
    assert.deepEqual(api.keys[0]?.scopes, ['predict']);
    assert.equal(api.keys[0]?.deployment_id, 'd1');
  });

  it('can be paused', async () => {
    await model.change({ status: 'paused' });
    assert.equal(model.state.deployment?.status, 'paused');
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

  it('is Python with Python values', () => {
    const text = pythonOf({ ...call, row: { a: null, b: true, c: 'x' } });
    assert.match(text, /\{"a": None, "b": True, "c": "x"\}/);
  });
});
