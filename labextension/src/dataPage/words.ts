import type { TranslationBundle } from '@jupyterlab/translation';
import type { IChanges, IDialect, INotice, IProfile, IProfileColumn } from '../api/data';
import type { IDataSource } from '../api/rows';
import { LEFT_OUT } from '../common/columns';
import { formatCount, labelOf, MISSING } from '../common/format';
import { formatOf, formatValue } from './figures';
import { isWorkbook } from './state';

type Trans = TranslationBundle;

/** Names that people know, of encodings as the server calls them. */
export const ENCODINGS: ReadonlyArray<readonly [id: string, name: string]> = [
  ['utf-8', 'UTF-8'],
  ['utf-16', 'UTF-16'],
  ['cp1252', 'Windows-1252'],
  ['cp1250', 'Windows-1250'],
  ['cp1251', 'Windows-1251'],
  ['iso8859-1', 'ISO 8859-1'],
  ['iso8859-15', 'ISO 8859-15'],
  ['gb18030', 'GB 18030'],
  ['shift_jis', 'Shift JIS'],
  ['big5', 'Big5'],
  ['euc_kr', 'EUC-KR']
];

export function encodingName(encoding: string): string {
  const known = ENCODINGS.find(([id]) => id === encoding.toLowerCase());
  return known?.[1] ?? (/^utf-?8/i.test(encoding) ? 'UTF-8' : encoding);
}

export function delimiters(trans: Trans): ReadonlyArray<readonly [id: string, name: string]> {
  return [
    [',', trans.__('Comma')],
    [';', trans.__('Semicolon')],
    ['\t', trans.__('Tab')],
    ['|', trans.__('Pipe')]
  ];
}

/** The line that has the names of the columns, counted as an editor does; null where none has. */
export function headerLine(dialect: IDialect): number | null {
  return dialect.header === false
    ? null
    : (dialect.skip_rows ?? 0) + (dialect.sep_line ? 1 : 0) + 1;
}

/** How a file was read, as `Windows-1252 · semicolon · decimal comma · header in line 3`. */
export function dialectWords(source: IDataSource, dialect: IDialect | null, trans: Trans): string {
  if (source.kind === 'parquet_upload') {
    return 'Parquet';
  }
  if (dialect === null) {
    return MISSING;
  }
  const words: string[] = [];
  if (isWorkbook(source)) {
    words.push('Excel');
    if (dialect.sheet !== null && dialect.sheet !== undefined) {
      words.push(trans.__('sheet %1', String(dialect.sheet)));
    }
  } else {
    words.push(encodingName(dialect.encoding ?? 'utf-8'));
    const delimiter = delimiters(trans).find(([id]) => id === dialect.delimiter);
    words.push((delimiter?.[1] ?? dialect.delimiter ?? '').toLowerCase());
    if (dialect.decimal === ',') {
      words.push(trans.__('decimal comma'));
    } else if (dialect.decimal === '.') {
      words.push(trans.__('decimal point'));
    }
  }
  const line = headerLine(dialect);
  words.push(
    line === null ? trans.__('no header') : trans.__('header in line %1', formatCount(line))
  );
  return words.filter(Boolean).join(' · ');
}

/** names that are listed before the rest is counted, and letters of each */
const NAMED = 3;
const LETTERS = 40;

function listed(names: ReadonlyArray<string>): string {
  const shown = names
    .slice(0, NAMED)
    .map(name => (name.length > LETTERS ? `${name.slice(0, LETTERS).trim()}…` : name))
    .join(', ');
  return names.length > NAMED ? `${shown}, …` : shown;
}

/** What a version has against the one before, in one line. */
export function changesWords(changes: IChanges, trans: Trans): string {
  const { rows, added, removed, types, levels } = changes;
  const words: string[] = [];
  if (rows !== null && rows !== 0) {
    const count = formatCount(Math.abs(rows));
    words.push(
      rows > 0
        ? trans._n('%2 more row', '%2 more rows', rows, count)
        : trans._n('%2 row fewer', '%2 rows fewer', -rows, count)
    );
  }
  if (added.length > 0) {
    const count = formatCount(added.length);
    words.push(
      trans._n('%2 column added: %3', '%2 columns added: %3', added.length, count, listed(added))
    );
  }
  if (removed.length > 0) {
    const count = formatCount(removed.length);
    const names = listed(removed);
    words.push(trans._n('%2 column gone: %3', '%2 columns gone: %3', removed.length, count, names));
  }
  for (const { column, before, after } of types.slice(0, NAMED)) {
    words.push(trans.__('%1 is %2, was %3', column, after, before));
  }
  if (types.length > NAMED) {
    const more = types.length - NAMED;
    words.push(trans._n('%2 more type changed', '%2 more types changed', more, formatCount(more)));
  }
  for (const { column, count } of levels) {
    words.push(
      trans._n('%2 new level in %3', '%2 new levels in %3', count, formatCount(count), column)
    );
  }
  return words.length > 0 ? words.join(' · ') : trans.__('The same rows and columns');
}

/** The kind of a note in one word, by its code. */
const NOTES: Readonly<Record<string, (trans: Trans) => string>> = {
  unreadable: trans => trans.__('Unreadable'),
  missing_words: trans => trans.__('Missing'),
  infinite_to_missing: trans => trans.__('Missing'),
  kept_as_level: trans => trans.__('Level'),
  levels_differ_by_case: trans => trans.__('Labels'),
  labels_differ_by_case: trans => trans.__('Labels'),
  leak: trans => trans.__('Leak'),
  leak_suspect: trans => trans.__('Leak'),
  groups: trans => trans.__('Groups'),
  duplicates: trans => trans.__('Duplicates'),
  currency: trans => trans.__('Units'),
  several_currencies: trans => trans.__('Units'),
  percent: trans => trans.__('Units'),
  bounds: trans => trans.__('Bounds'),
  parentheses: trans => trans.__('Negative'),
  decimal_comma: trans => trans.__('Numbers'),
  thousands: trans => trans.__('Numbers'),
  ambiguous_number: trans => trans.__('Numbers'),
  looks_like_numbers: trans => trans.__('Numbers'),
  looks_like_dates: trans => trans.__('Dates'),
  looks_like_durations: trans => trans.__('Durations'),
  codes: trans => trans.__('Codes'),
  blanks_trimmed: trans => trans.__('Trimmed'),
  ambiguous_date: trans => trans.__('Dates'),
  several_spellings: trans => trans.__('Dates'),
  durations: trans => trans.__('Durations'),
  offset: trans => trans.__('Times'),
  offsets: trans => trans.__('Times'),
  without_offset: trans => trans.__('Times'),
  lines_skipped: trans => trans.__('Skipped'),
  trailing_delimiters: trans => trans.__('Cut'),
  no_header: trans => trans.__('Header'),
  unnamed_columns: trans => trans.__('Header'),
  repeated_names: trans => trans.__('Header'),
  encoding: trans => trans.__('Encoding'),
  quote: trans => trans.__('Quotes'),
  type_changed: trans => trans.__('Type')
};

export function noteWord(code: string, trans: Trans): string {
  return NOTES[code]?.(trans) ?? labelOf(code);
}

/** Codes whose count is of rows or of lines; the others count cells. */
const OF_ROWS = new Set(['duplicates']);
/** Codes whose count says less than their sentence. */
const UNCOUNTED = new Set(['levels_differ_by_case', 'labels_differ_by_case']);
const OF_LINES = new Set(['lines_skipped', 'trailing_delimiters']);

/** How often a note holds, as `3 cells`. */
export function noteCount(code: string, count: number | undefined, trans: Trans): string {
  if (count === undefined || UNCOUNTED.has(code)) {
    return '';
  }
  const text = formatCount(count);
  return OF_ROWS.has(code)
    ? trans._n('%2 row', '%2 rows', count, text)
    : OF_LINES.has(code)
      ? trans._n('%2 line', '%2 lines', count, text)
      : trans._n('%2 cell', '%2 cells', count, text);
}

export interface INote {
  readonly code: string;
  readonly message: string;
  readonly count: string;
}

/** The figure behind a notice. */
function factOf({ facts }: INotice, trans: Trans): string {
  const { association, rows } = facts ?? {};
  return typeof association === 'number'
    ? trans.__('association %1', association.toFixed(2))
    : typeof rows === 'number'
      ? trans._n('%2 row', '%2 rows', rows, formatCount(rows))
      : '';
}

/** Everything that was noticed when a table was read: what asks for a decision last. */
export function notesOf(profile: IProfile, trans: Trans): ReadonlyArray<INote> {
  const notes: INote[] = (profile.reported ?? []).map(({ code, message, count }) => ({
    code,
    message,
    count: noteCount(code, count, trans)
  }));
  const said = new Set(
    (profile.reported ?? []).map(({ code, column }) => `${noteWord(code, trans)} ${column ?? ''}`)
  );
  for (const notice of profile.notices ?? []) {
    const { code, column, message } = notice;
    if (!said.has(`${noteWord(code, trans)} ${column ?? ''}`)) {
      notes.push({ code, message, count: factOf(notice, trans) });
    }
  }
  const duplicates = profile.duplicates ?? 0;
  if (duplicates > 0 && !notes.some(note => note.code === 'duplicates')) {
    const message = trans.__('Rows that equal an earlier row.');
    notes.push({ code: 'duplicates', message, count: noteCount('duplicates', duplicates, trans) });
  }
  return notes;
}

/** What the notes come to, as `3 cells unreadable, 211 read as missing`. */
export function notesSummary(profile: IProfile, trans: Trans): string {
  const sum = (of: (column: IProfileColumn) => number): number =>
    (profile.columns ?? []).reduce((total, column) => total + of(column), 0);
  const unreadable = sum(column => column.unreadable.count);
  const words = sum(column =>
    Object.values(column.missing_words).reduce((total, count) => total + count, 0)
  );
  const parts: string[] = [];
  if (unreadable > 0) {
    const count = formatCount(unreadable);
    parts.push(trans._n('%2 cell unreadable', '%2 cells unreadable', unreadable, count));
  }
  if (words > 0) {
    parts.push(
      parts.length > 0
        ? trans.__('%1 read as missing', formatCount(words))
        : trans._n('%2 cell read as missing', '%2 cells read as missing', words, formatCount(words))
    );
  }
  return parts.join(', ');
}

/** The range of a column's values, or its most frequent level. */
export function rangeOf(column: IProfileColumn, rows: number, trans: Trans): string {
  const { min, max, top, type, distinct } = column;
  const first = top[0];
  if (type === 'constant' && first) {
    return first.count === rows
      ? trans.__('%1, all rows', formatValue(first.value))
      : rowsWith(first.value, first.count, trans);
  }
  if (min !== null && min !== undefined && max !== null && max !== undefined) {
    const [from = '', to = ''] = formatOf(column, [min, max]).map(text => shortDate(text, column));
    return from === to ? from : trans.__('%1 to %2', from, to);
  }
  if (type === 'identifier' && distinct > 1) {
    return trans.__('all different');
  }
  return first && (first.count > 1 || !LEFT_OUT.has(type)) && type !== 'text'
    ? rowsWith(first.value, first.count, trans)
    : type === 'text' && distinct > 0
      ? trans._n('%2 text', '%2 different texts', distinct, formatCount(distinct))
      : MISSING;
}

/** Of dates that lie years apart, the months are enough. */
function shortDate(text: string, { type, min, max }: IProfileColumn): string {
  const [first, last] = [min, max].map(value => Number(String(value).slice(0, 4)));
  return type === 'date' && (last ?? 0) - (first ?? 0) > 1 ? text.slice(0, 7) : text;
}

function rowsWith(value: unknown, count: number, trans: Trans): string {
  return trans._n('%3, %2 row', '%3, %2 rows', count, formatCount(count), formatValue(value));
}

/** Short words for what asks for a decision about a column. */
const TAGS: Readonly<Record<string, (trans: Trans) => string>> = {
  leak: trans => trans.__('leak suspect'),
  leak_suspect: trans => trans.__('leak suspect'),
  groups: trans => trans.__('possible groups'),
  drift: trans => trans.__('drifts')
};

export interface ITag {
  readonly text: string;
  readonly warns: boolean;
}

/** What is said beside the name of a column, besides its type. */
export function tagsOf(
  column: IProfileColumn,
  type: string,
  notices: ReadonlyArray<INotice>,
  trans: Trans
): ReadonlyArray<ITag> {
  const tags: ITag[] = [];
  if (LEFT_OUT.has(type)) {
    tags.push({ text: trans.__('%1, left out', type), warns: false });
  }
  const unreadable = column.unreadable.count;
  if (unreadable > 0) {
    const texts = new Set(column.unreadable.examples.map(example => example.text));
    const [only] = texts;
    const count = formatCount(unreadable);
    tags.push({
      text:
        only !== undefined && texts.size === 1 && only.length <= 12
          ? trans.__('%1 unreadable: “%2”', count, only)
          : trans.__('%1 unreadable', count),
      warns: true
    });
  }
  for (const notice of notices) {
    const tag = notice.column === column.name ? TAGS[notice.code] : undefined;
    if (tag) {
      tags.push({ text: tag(trans), warns: true });
    }
  }
  return tags;
}
