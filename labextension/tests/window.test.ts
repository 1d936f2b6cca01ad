import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { piecesOf } from '../src/common/window';

const ROWS = Array.from({ length: 200 }, (_, index) => (index % 2 === 0 ? 40 : 60));
const drawn = (top: number, bottom: number, kept: number | null = null): number[] =>
  piecesOf(ROWS, top, bottom, kept).flatMap(piece => piece.index ?? []);

describe('a long list', () => {
  it('draws what touches the stretch in sight', () => {
    assert.deepEqual(drawn(100, 200), [1, 2, 3, 4]);
    assert.deepEqual(drawn(-500, -1), []);
  });

  it('keeps the row that Tab leads to, wherever it lies', () => {
    assert.deepEqual(drawn(5010, 5090, 0), [0, 100, 101]);
    assert.deepEqual(drawn(5010, 5090, 199), [100, 101, 199]);
    assert.deepEqual(drawn(5010, 5090, 100), [100, 101]);
  });

  it('is as high as all of its rows', () => {
    for (const top of [-300, 0, 4321, 9990]) {
      const height = piecesOf(ROWS, top, top + 900, 7).reduce(
        (sum, piece) => sum + (piece.index === undefined ? piece.gap : (ROWS[piece.index] ?? 0)),
        0
      );
      assert.equal(height, 10_000);
    }
  });
});
