import React, { useId } from 'react';
import { useTrans } from '../common/trans';
import { ParamField } from './advanced';
import { columnsOf } from './columns';
import type { IPart } from './part';
import { HOLDOUT } from './params';
import { type IFormState, setupParam } from './state';

/** How rows are split: the parameter that says so, where there is one. */
const PARAMS = { rows: null, groups: 'fold_groups', time: 'fold_time', holdout: HOLDOUT } as const;
type Split = keyof typeof PARAMS;
const SPLITS = Object.keys(PARAMS) as ReadonlyArray<Split>;
/** Parameters that the field stands for, where it is shown. */
export const OF_SPLIT: ReadonlyArray<string> = Object.values(PARAMS).filter(
  (name): name is NonNullable<typeof name> => name !== null
);

/** Whether the form asks how rows are split: it knows the columns, and the task splits rows. */
export function asksForSplit(state: IFormState): boolean {
  return setupParam(state, PARAMS.groups) !== null && columnsOf(state).length > 0;
}

/** What each way would begin with: a column, or a data source; null where there is none. */
function firstOf(state: IFormState): Readonly<Record<Exclude<Split, 'rows'>, string | null>> {
  const columns = columnsOf(state);
  const noticed = state.profile?.notices?.find(notice => notice.setup_params?.fold_groups);
  const groups = noticed?.setup_params?.fold_groups;
  const named =
    columns.find(column => column.type === 'identifier') ??
    columns.find(column => column.type === 'category') ??
    columns.find(column => column.type === 'number');
  return {
    groups: typeof groups === 'string' ? groups : (named?.name ?? null),
    time: columns.find(column => column.type === 'date')?.name ?? null,
    holdout: state.sources.find(one => one.id !== state.sourceId)?.id ?? null
  };
}

/**
 * Whether rows are split at random, by groups, by time, or against a table of their own.
 */
export function SplitFields({ model, state }: IPart): JSX.Element | null {
  const trans = useTrans();
  const id = useId();
  if (!asksForSplit(state)) {
    return null;
  }
  const first = firstOf(state);
  const chosen =
    SPLITS.find(split => PARAMS[split] !== null && (state.values[PARAMS[split]] ?? '') !== '') ??
    'rows';
  const words: Readonly<Record<Split, string>> = {
    rows: trans.__('Rows'),
    groups: trans.__('Groups'),
    time: trans.__('Time'),
    holdout: trans.__('Own hold-out')
  };
  const hints: Readonly<Record<Split, string>> = {
    rows: trans.__('At random.'),
    groups: trans.__('All rows of a group are in one fold, or all held out.'),
    time: trans.__('Later rows are predicted from earlier ones; the latest are held out.'),
    holdout: trans.__('All rows are trained on; another table is held out.')
  };
  const labels: Readonly<Record<Exclude<Split, 'rows'>, string>> = {
    groups: trans.__('Group column'),
    time: trans.__('Time column'),
    holdout: trans.__('Hold-out')
  };
  const choose = (split: Split): void => {
    for (const name of OF_SPLIT) {
      model.set(name, split !== 'rows' && PARAMS[split] === name ? (first[split] ?? '') : '');
    }
  };
  const param = chosen === 'rows' ? null : setupParam(state, PARAMS[chosen]);
  return (
    <>
      <span className="jp-pycaret-form__label" aria-hidden="true">
        {trans.__('Split by')}
      </span>
      <div className="jp-pycaret-form__control">
        <div
          className="jp-pycaret-segments"
          role="radiogroup"
          aria-label={trans.__('Split by')}
          aria-describedby={`${id}-hint`}
        >
          {SPLITS.map(split => (
            <label key={split}>
              <input
                type="radio"
                name={id}
                checked={split === chosen}
                disabled={split !== 'rows' && split !== chosen && first[split] === null}
                onChange={() => choose(split)}
              />
              {words[split]}
            </label>
          ))}
        </div>
        <p className="jp-pycaret-form__hint" id={`${id}-hint`}>
          {hints[chosen]}
        </p>
      </div>
      {param && chosen !== 'rows' ? (
        <ParamField model={model} state={state} param={param} label={labels[chosen]} />
      ) : null}
    </>
  );
}
