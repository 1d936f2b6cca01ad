import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import type { IDialect } from '../api/data';
import { ask } from '../common/ask';
import { Field, tied } from '../common/field';
import { formatCount } from '../common/format';
import { useTrans } from '../common/trans';
import type { DataModel } from './model';
import { isWorkbook, newestVersion, shownVersion } from './state';
import { delimiters, ENCODINGS, encodingName, headerLine } from './words';

interface IChoice {
  readonly encoding: string;
  readonly delimiter: string;
  /** '' for what the file says */
  readonly decimal: string;
  readonly sheet: string;
  /** the line with the names of the columns; 0 where none has them */
  readonly line: string;
}

interface IPart {
  readonly choice: IChoice;
  readonly change: (patch: Partial<IChoice>) => void;
}

/**
 * Ask how the file is to be read, until the server takes it or the user leaves.
 */
export async function askHowToRead(model: DataModel, trans: TranslationBundle): Promise<void> {
  const { source, versions, profile } = model.state;
  const newest = newestVersion(model.state) ?? 1;
  const dialect =
    shownVersion(model.state)?.dialect ?? versions[0]?.dialect ?? profile?.dialect ?? {};
  const workbook = source !== null && isWorkbook(source);
  await ask<IChoice, boolean>({
    trans,
    title: trans.__('How the file is read'),
    accept: trans.__('Read again'),
    first: choiceOf(dialect),
    form: ({ choice, fault, change }) => (
      <>
        {workbook ? (
          <Sheet choice={choice} change={change} />
        ) : (
          <Text choice={choice} change={change} />
        )}
        <Field
          id="jp-pycaret-header"
          label={trans.__('Header in line')}
          error={fault}
          hint={trans.__('0 where the columns have no names.')}
        >
          <input
            className="jp-pycaret-input jp-pycaret-input--num jp-pycaret-input--short"
            inputMode="numeric"
            {...tied('jp-pycaret-header', fault)}
            value={choice.line}
            onChange={event => change({ line: event.target.value })}
          />
        </Field>
        <p className="jp-pycaret-form__wide jp-pycaret-hint">
          {trans.__(
            'Reading again makes version %1. Runs keep the version they used.',
            formatCount(newest + 1)
          )}
        </p>
      </>
    ),
    act: async choice => {
      await model.readAgain(changesOf(dialect, choice, workbook, trans));
      return true;
    }
  });
}

function choiceOf(dialect: IDialect): IChoice {
  return {
    encoding: dialect.encoding ?? 'utf-8',
    delimiter: dialect.delimiter ?? ',',
    decimal: dialect.decimal ?? '',
    sheet: dialect.sheet === null || dialect.sheet === undefined ? '' : String(dialect.sheet),
    line: String(headerLine(dialect) ?? 0)
  };
}

/**
 * The fields of a dialect that a choice changes.
 *
 * @throws where the line of the header is none
 */
export function changesOf(
  dialect: IDialect,
  choice: IChoice,
  workbook: boolean,
  trans: TranslationBundle
): IDialect {
  const line = Number(choice.line.trim());
  if (!/^\d+$/.test(choice.line.trim())) {
    throw new Error(trans.__('Give the number of a line, or 0 where there is no header.'));
  }
  const before = choiceOf(dialect);
  const above = dialect.sep_line ? 1 : 0;
  const sheet = choice.sheet.trim();
  return {
    ...(choice.line.trim() === before.line
      ? {}
      : line === 0
        ? { header: false }
        : { header: true, skip_rows: Math.max(0, line - 1 - above) }),
    ...(workbook
      ? sheet === before.sheet || sheet === ''
        ? {}
        : { sheet }
      : {
          ...(choice.encoding === before.encoding ? {} : { encoding: choice.encoding }),
          ...(choice.delimiter === before.delimiter ? {} : { delimiter: choice.delimiter }),
          ...(choice.decimal === before.decimal ? {} : { decimal: choice.decimal || null })
        })
  };
}

function Text({ choice, change }: IPart): JSX.Element {
  const trans = useTrans();
  const known = ENCODINGS.some(([id]) => id === choice.encoding);
  const separators = delimiters(trans);
  return (
    <>
      <Field id="jp-pycaret-encoding" label={trans.__('Encoding')}>
        <select
          className="jp-pycaret-select"
          id="jp-pycaret-encoding"
          value={choice.encoding}
          onChange={event => change({ encoding: event.target.value })}
        >
          {known ? null : <option value={choice.encoding}>{encodingName(choice.encoding)}</option>}
          {ENCODINGS.map(([id, name]) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </select>
      </Field>
      <Field id="jp-pycaret-delimiter" label={trans.__('Separator')}>
        <select
          className="jp-pycaret-select"
          id="jp-pycaret-delimiter"
          value={choice.delimiter}
          onChange={event => change({ delimiter: event.target.value })}
        >
          {separators.some(([id]) => id === choice.delimiter) ? null : (
            <option value={choice.delimiter}>{choice.delimiter}</option>
          )}
          {separators.map(([id, name]) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </select>
      </Field>
      <Field id="jp-pycaret-decimal" label={trans.__('Decimal mark')}>
        <select
          className="jp-pycaret-select"
          id="jp-pycaret-decimal"
          value={choice.decimal}
          onChange={event => change({ decimal: event.target.value })}
        >
          <option value="">{trans.__('As the numbers say')}</option>
          <option value=".">{trans.__('Point')}</option>
          <option value=",">{trans.__('Comma')}</option>
        </select>
      </Field>
    </>
  );
}

function Sheet({ choice, change }: IPart): JSX.Element {
  const trans = useTrans();
  return (
    <Field
      id="jp-pycaret-sheet"
      label={trans.__('Sheet')}
      hint={trans.__('Its name, or its position from 1.')}
    >
      <input
        className="jp-pycaret-input"
        {...tied('jp-pycaret-sheet')}
        value={choice.sheet}
        onChange={event => change({ sheet: event.target.value })}
      />
    </Field>
  );
}
