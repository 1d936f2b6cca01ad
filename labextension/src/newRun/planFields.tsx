import React, { useId } from 'react';
import { Field, tied } from '../common/field';
import { formatCount } from '../common/format';
import { useTrans } from '../common/trans';
import { Advanced, ParamField } from './advanced';
import { ModelsField } from './models';
import { columnsOf, hasPicker } from './columns';
import { pairOf } from './dataFields';
import { Notices } from './noticeList';
import type { IPart } from './part';
import { advancedOf, PICKED, rankingParam } from './params';
import { ColumnPicker } from './picker';
import { asksForSplit, OF_SPLIT, SplitFields } from './splitFields';
import { type IFormState, planOf, planParam, setupParam, shownParams, triedModels } from './state';
import { MINUTE } from './submission';

/** What to do, with which models, and how it is counted: as the engine offers it. */
export function PlanFields({ model, state }: IPart): JSX.Element {
  const trans = useTrans();
  const id = useId();
  const experimentId = useId();
  const plan = planOf(state);
  const ranking = rankingParam(plan);
  const rows = state.profile?.rows ?? state.preview?.total_rows ?? null;
  const fold = setupParam(state, 'fold');
  const index = setupParam(state, 'index');
  const horizon = setupParam(state, 'horizon');
  const limit = planParam(state, 'time_limit');
  const folds = Number(state.values.fold ?? fold?.default);
  return (
    <>
      <Field id={id} label={trans.__('Plan')} error={state.errors.plan} hint={plan?.description}>
        <select
          className="jp-pycaret-select"
          {...tied(id, state.errors.plan)}
          value={state.plan}
          onChange={event => model.choosePlan(event.target.value)}
        >
          {state.offer?.plans.map(one => (
            <option key={one.id} value={one.id}>
              {one.name}
            </option>
          ))}
        </select>
      </Field>
      <ModelsField model={model} state={state} />
      {index ? (
        <ParamField model={model} state={state} param={index} label={trans.__('Time column')} />
      ) : null}
      {horizon ? (
        <ParamField model={model} state={state} param={horizon} label={trans.__('Horizon')} />
      ) : null}
      {fold ? (
        <ParamField
          model={model}
          state={state}
          label={trans.__('Folds')}
          param={
            rows !== null && folds >= 2
              ? {
                  ...fold,
                  description: trans.__(
                    'About %1 rows in each.',
                    formatCount(Math.floor(rows / folds))
                  )
                }
              : fold
          }
        />
      ) : null}
      <SplitFields model={model} state={state} />
      <ValidationNotices model={model} state={state} />
      <ColumnPicker model={model} state={state} />
      {hasPicker(state) ? <h3 className="jp-pycaret-form__head">{trans.__('Search')}</h3> : null}
      {ranking ? (
        <ParamField model={model} state={state} param={ranking} label={trans.__('Rank by')} />
      ) : null}
      {limit ? (
        <ParamField
          model={model}
          state={state}
          param={{
            ...limit,
            default: typeof limit.default === 'number' ? limit.default / MINUTE : limit.default,
            description: trans.__('Models finished by then are kept.')
          }}
          unit={trans.__('minutes')}
          label={trans.__('Time limit')}
        />
      ) : null}
      <Field id={experimentId} label={trans.__('Experiment')} error={state.errors.experiment}>
        <input
          className="jp-pycaret-input jp-pycaret-input--wide"
          {...tied(experimentId, state.errors.experiment)}
          maxLength={128}
          value={state.experiment}
          onChange={event => model.setExperiment(event.target.value)}
        />
      </Field>
      <Advanced
        model={model}
        state={state}
        params={advancedOf(shownParams(state), [
          ...(hasPicker(state) ? OF_DATA : []),
          ...(asksForSplit(state) ? OF_SPLIT : []),
          ...(pairOf(state) ? ['positive_class'] : [])
        ])}
      />
    </>
  );
}

/** Parameters that fields of the data stand for, where its columns are known. */
const OF_DATA = [...PICKED, 'merge_levels'];

/** What was noticed about how rows are split. */
function ValidationNotices({ model, state }: IPart): JSX.Element {
  return (
    <div className="jp-pycaret-form__wide jp-pycaret-stack jp-pycaret-form__notices">
      <Notices model={model} state={state} place="validation" />
    </div>
  );
}

/** How much there is to do, and from how many columns, where the form knows. */
export function Summary({ state }: { readonly state: IFormState }): JSX.Element {
  const trans = useTrans();
  const parts = [fitsOf(state, trans)];
  if (hasPicker(state)) {
    const used = columnsOf(state).filter(column => column.isUsed).length;
    parts.push(trans._n('%2 column', '%2 columns', used, formatCount(used)));
  }
  return <>{parts.filter(Boolean).join(' · ')}</>;
}

function fitsOf(state: IFormState, trans: ReturnType<typeof useTrans>): string {
  const fold = setupParam(state, 'fold');
  const folds = Number(state.values.fold ?? fold?.default);
  if (!planParam(state, 'include') || planOf(state)?.needs_model || !Number.isFinite(folds)) {
    return '';
  }
  const models = triedModels(state);
  return trans._n(
    '%2 model × %3 folds = %4 fits',
    '%2 models × %3 folds = %4 fits',
    models,
    formatCount(models),
    formatCount(folds),
    formatCount(models * folds)
  );
}
