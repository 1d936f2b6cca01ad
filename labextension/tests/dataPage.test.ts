import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { IChanges } from '../src/api/data';
import type { IDataSource } from '../src/api/rows';
import { ResponseError } from '../src/api/errors';
import { formatShare } from '../src/common/format';
import { atTime } from '../src/common/words';
import { barsOf, formatDuration, formatNumbers, formatValues } from '../src/dataPage/figures';
import { DataModel } from '../src/dataPage/model';
import { changedColumns } from '../src/dataPage/state';
import {
  changesWords,
  dialectWords,
  headerLine,
  notesOf,
  notesSummary,
  rangeOf,
  tagsOf
} from '../src/dataPage/words';
import { source } from './fakeApi';
import { category, column, FakeData, profileOf, version } from './fakeData';
import { settled, trans } from './texts';

let api: FakeData;
let model: DataModel;

const open = async (): Promise<void> => {
  model = new DataModel('source-juice.csv', api, trans);
  model.setActive(true);
  await settled();
};

beforeEach(() => {
  api = new FakeData();
});

afterEach(() => model.dispose());

describe('data page', () => {
  it('shows the profile of the newest version, compared with the suggested target', async () => {
    api.all = [version(2), version(1)];
    api.profiles = [
      profileOf([column('Price'), category('Purchase', { CH: 7, MM: 3 })], {
        suggestion: { target: 'Purchase', task: 'classification', reason: 'It holds 2 labels.' }
      })
    ];
    await open();
    assert.deepEqual(api.calls, ['profile 2 -', 'profile 2 Purchase']);
    assert.equal(model.state.target, 'Purchase');
    assert.equal(model.state.reading, null);
  });

  it('follows a profile that is being made', async t => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    api.profiles = [
      { status: 'pending', progress: { done: 5, total: 10 } },
      profileOf([column('Price')])
    ];
    await open();
    assert.deepEqual(model.state.reading, { done: 5, total: 10 });
    t.mock.timers.tick(500);
    await settled();
    assert.equal(model.state.reading, null);
    assert.equal(model.state.profile?.columns?.length, 1);
  });

  it('does not ask while nobody sees it', async t => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    api.profiles = [{ status: 'pending' }];
    await open();
    model.setActive(false);
    t.mock.timers.tick(60000);
    await settled();
    assert.equal(api.calls.length, 1);
  });

  it('says why a profile failed, and makes it again', async () => {
    api.profiles = [{ status: 'failed', error: 'It needs 3 GB.' }, profileOf([column('Price')])];
    await open();
    assert.equal(model.state.failure, 'It needs 3 GB.');
    await model.makeAgain();
    await settled();
    assert.ok(api.calls.includes('make'));
    assert.equal(model.state.failure, null);
    assert.ok(model.state.profile);
  });

  it('changes a type at once, and takes it back', async () => {
    await open();
    const change = model.setType('Price', 'category');
    assert.deepEqual(changedColumns(model.state), ['Price']);
    await change;
    await model.setType('Price', 'number');
    assert.deepEqual(api.patches, [{ types: { Price: 'category' } }, { types: { Price: null } }]);
    assert.deepEqual(changedColumns(model.state), []);
  });

  it('resets all types', async () => {
    api.row = { ...api.row, types: { Price: 'category' } };
    await open();
    assert.deepEqual(changedColumns(model.state), ['Price']);
    await model.resetTypes();
    assert.deepEqual(api.patches, [{ types: null }]);
    assert.deepEqual(changedColumns(model.state), []);
  });

  it('takes a refused type back and says why', async () => {
    await open();
    api.refusal = new ResponseError(400, 'Price is no date.');
    await model.setType('Price', 'date');
    assert.deepEqual(changedColumns(model.state), []);
    assert.equal(model.state.notice, 'Price is no date.');
  });

  it('shows the new version of a file that is read again', async () => {
    await open();
    await model.readAgain({ encoding: 'utf-8' });
    await settled();
    assert.equal(model.state.version, 2);
    assert.equal(api.calls.at(-1), 'profile 2 -');
  });

  it('leaves what a dialog asked to the dialog where the server refuses', async () => {
    await open();
    api.refusal = new ResponseError(400, 'Line 3 does not decode.');
    await assert.rejects(model.readAgain({ encoding: 'utf-8' }), /Line 3/);
    assert.equal(model.state.notice, null);
  });

  it('shows the new version of an upload, and tells of it', async () => {
    await open();
    const told: IDataSource[] = [];
    model.patched.connect((_, row) => told.push(row));
    await model.upload(new File(['a'], 'more.csv'));
    await settled();
    assert.equal(model.state.version, 2);
    assert.equal(model.state.sending, null);
    assert.equal(told.length, 1);
  });

  it('says why an upload was refused', async () => {
    await open();
    api.refusal = new ResponseError(400, 'The file is empty.');
    await model.upload(new File([''], 'more.csv'));
    assert.equal(model.state.notice, 'more.csv was not uploaded. The file is empty.');
  });

  it('of a connector asks for no versions', async () => {
    api.row = { ...api.row, kind: 'postgres' };
    await open();
    assert.deepEqual(model.state.versions, []);
    assert.equal(api.calls[0], 'profile - -');
  });
});

describe('words of a data page', () => {
  const file = source('juice.csv');

  it('say how a file was read', () => {
    const dialect = {
      encoding: 'cp1252',
      delimiter: ';',
      decimal: ',',
      header: true,
      skip_rows: 2
    };
    assert.equal(
      dialectWords(file, dialect, trans),
      'Windows-1252 · semicolon · decimal comma · header in line 3'
    );
    assert.equal(
      dialectWords(file, { encoding: 'utf-8', delimiter: '\t', header: false }, trans),
      'UTF-8 · tab · no header'
    );
    assert.equal(headerLine({ header: true, skip_rows: 0, sep_line: true }), 2);
  });

  it('say what is new in a version', () => {
    const changes: IChanges = {
      rows: 550,
      added: ['Last comment'],
      removed: [],
      types: [{ column: 'Price', before: 'category', after: 'number' }],
      levels: [{ column: 'City', new: ['Wien', 'Köln'], count: 2 }]
    };
    assert.equal(
      changesWords(changes, trans),
      '550 more rows · 1 column added: Last comment · Price is number, was category · 2 new levels in City'
    );
    const none = { rows: 0, added: [], removed: [], types: [], levels: [] };
    assert.equal(changesWords(none, trans), 'The same rows and columns');
  });

  it('count what was noticed, and say it once', () => {
    const profile = profileOf(
      [
        column('Price', {
          missing: 4,
          missing_words: { 'n/a': 4 },
          unreadable: { count: 3, examples: [{ row: 4, text: 'err' }] }
        })
      ],
      {
        duplicates: 2,
        reported: [
          { code: 'unreadable', column: 'Price', message: 'Price: 3 cells.', count: 3 },
          { code: 'levels_differ_by_case', column: 'Left', message: 'Left: Yes and yes.', count: 1 }
        ],
        notices: [
          { code: 'labels_differ_by_case', column: 'Left', message: 'Yes and yes differ.' },
          { code: 'leak', column: 'Fee', message: 'Fee predicts Left.' }
        ]
      }
    );
    const notes = notesOf(profile, trans);
    assert.deepEqual(
      notes.map(note => [note.code, note.count]),
      [
        ['unreadable', '3 cells'],
        ['levels_differ_by_case', ''],
        ['leak', ''],
        ['duplicates', '2 rows']
      ]
    );
    assert.equal(notesSummary(profile, trans), '3 cells unreadable, 4 read as missing');
  });

  it('give the range or the top level', () => {
    assert.equal(rangeOf(column('Price'), 10, trans), '1.00 to 9.50');
    assert.equal(rangeOf(category('City', { Gent: 7, Lyon: 3 }), 10, trans), 'Gent, 7 rows');
    assert.equal(
      rangeOf(category('Currency', { EUR: 10 }, { type: 'constant' }), 10, trans),
      'EUR, all rows'
    );
    const dates = { type: 'date', min: '2019-02-01T00:00:00', max: '2026-03-04T00:00:00' };
    assert.equal(rangeOf(column('Since', dates), 10, trans), '2019-02 to 2026-03');
  });

  it('warn beside a name', () => {
    const unreadable = { count: 3, examples: [{ row: 4, text: 'err' }] };
    const notices = [{ code: 'leak', column: 'Fee', message: '' }];
    assert.deepEqual(tagsOf(column('Fee', { unreadable }), 'number', notices, trans), [
      { text: '3 unreadable: “err”', warns: true },
      { text: 'leak suspect', warns: true }
    ]);
    assert.deepEqual(tagsOf(column('Id'), 'identifier', [], trans), [
      { text: 'identifier, left out', warns: false }
    ]);
  });
});

describe('figures of a data page', () => {
  it('have decimals alike', () => {
    assert.deepEqual(formatNumbers([1, 2400]), ['1', '2,400']);
    assert.deepEqual(formatNumbers([0.1, 115]), ['0.1', '115.0']);
    assert.deepEqual(formatNumbers([0.00012, 0.01]), ['0.0001', '0.0100']);
  });

  it('leave out a time that is always midnight', () => {
    assert.deepEqual(formatValues(['2019-02-01T00:00:00', '2020-01-01T00:00:00']), [
      '2019-02-01',
      '2020-01-01'
    ]);
    assert.deepEqual(formatValues(['2019-02-01T08:30:00']), ['2019-02-01 08:30']);
    assert.deepEqual(formatValues([true, null]), ['true', '–']);
  });

  it('write durations as times', () => {
    assert.equal(formatDuration(5400), '1:30:00');
    assert.equal(formatDuration(172800), '2 d');
  });

  it('never write a share that is there as none', () => {
    assert.equal(formatShare(0, 10), '0 %');
    assert.equal(formatShare(1, 100000), '<0.1 %');
    assert.equal(formatShare(99999, 100000), '99.9 %');
    assert.equal(formatShare(22, 550), '4.0 %');
  });

  it('draw bars that touch for ranges and bars with gaps for levels', () => {
    const path = barsOf({ kind: 'levels', counts: [10, 5] }, 88, 20);
    assert.equal(path, 'M0 20V0h10V20zM12 20V10h10V20z');
    assert.equal(barsOf({ kind: 'ranges', counts: [1, 0] }, 88, 20), 'M0 20V0h43.5V20z');
  });

  it('name the day of an upload', () => {
    const now = new Date(2024, 10, 23, 18, 0).getTime();
    assert.equal(atTime(new Date(2024, 10, 23, 13, 40).getTime(), now, trans), 'today at 13:40');
    assert.equal(atTime(new Date(2024, 10, 22, 9, 5).getTime(), now, trans), 'yesterday at 09:05');
    assert.equal(atTime(new Date(2024, 9, 1, 9, 5).getTime(), now, trans), '2024-10-01 at 09:05');
  });
});
