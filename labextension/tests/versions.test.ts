import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type IVersion, versionText } from '../src/deployment/versions';

const version = (version: number, change: Partial<IVersion> = {}): IVersion => ({
  id: `m${version}`,
  version,
  model: 'Decision Tree',
  metric: 'Accuracy',
  value: 0.773,
  ...change
});

describe('the text of a version', () => {
  it('has the model and its value, compared with the version that serves', () => {
    const serving = version(1, { model: 'Logistic Regression', value: 0.8171 });
    assert.equal(
      versionText(version(2), serving),
      'v2 · Decision Tree · Accuracy 0.7730 (v1: 0.8171)'
    );
    assert.equal(versionText(serving), 'v1 · Logistic Regression · Accuracy 0.8171');
  });

  it('compares nothing that is measured by another metric or not at all', () => {
    assert.equal(
      versionText(version(2), version(1, { metric: 'AUC' })),
      'v2 · Decision Tree · Accuracy 0.7730'
    );
    assert.equal(versionText(version(2, { metric: null, value: null })), 'v2 · Decision Tree');
  });
});
