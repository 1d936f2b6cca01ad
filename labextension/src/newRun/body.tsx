import React, { useEffect, useId, useRef } from 'react';
import { Field, tied } from '../common/field';
import { formatCount, formatSize } from '../common/format';
import { Loading } from '../common/frame';
import { StatusMark } from '../common/icons';
import { useTrans } from '../common/trans';
import { useSignal } from '../common/useSignal';
import { Advanced, ParamField } from './advanced';
import type { NewRunModel } from './model';
import { ModelsField } from './models';
import { advancedOf, rankingParam } from './params';
import { Preview } from './preview';
import {
  type IFormState,
  planOf,
  planParam,
  setupParam,
  shownParams,
  takesTarget,
  triedModels
} from './state';

export interface IFormProps {
  readonly model: NewRunModel;
  readonly onClose: () => void;
}

/**
 * The form for a new run. Suggestions are filled in and say why; nothing is locked.
 */
export function NewRunForm({ model, onClose }: IFormProps): JSX.Element {
  const trans = useTrans();
  const state = useSignal(model.changed, () => model.state);
  const form = useRef<HTMLFormElement>(null);

  // Focus goes to the first field that is wrong.
  const { errors } = state;
  useEffect(() => {
    if (Object.keys(errors).length > 0) {
      form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
    }
  }, [errors]);

  return (
    <form
      ref={form}
      className="jp-pycaret jp-pycaret-view"
      aria-label={trans.__('New run')}
      aria-busy={state.phase === 'loading'}
      noValidate
      onSubmit={event => {
        event.preventDefault();
        void model.submit();
      }}
    >
      <header className="jp-pycaret-head">
        <h2 className="jp-pycaret-head__title">{trans.__('New run')}</h2>
      </header>
      {state.phase === 'trouble' ? (
        <Trouble model={model} sentence={state.trouble ?? ''} />
      ) : state.phase === 'ready' ? (
        <Fields model={model} state={state} onClose={onClose} />
      ) : (
        <Loading />
      )}
    </form>
  );
}

function Trouble({
  model,
  sentence
}: {
  readonly model: NewRunModel;
  readonly sentence: string;
}): JSX.Element {
  const trans = useTrans();
  return (
    <div className="jp-pycaret-notice" role="alert">
      <StatusMark status="failed" />
      <div className="jp-pycaret-notice__body">
        <p className="jp-pycaret-notice__title">{trans.__('The form cannot be made now')}</p>
        <p>{sentence}</p>
      </div>
      <button
        type="button"
        className="jp-pycaret-button jp-pycaret-button--small"
        onClick={() => void model.load()}
      >
        {trans.__('Try again')}
      </button>
    </div>
  );
}

function Fields({
  model,
  state,
  onClose
}: IFormProps & { readonly state: IFormState }): JSX.Element {
  const trans = useTrans();
  const source = state.sources.find(row => row.id === state.sourceId);
  return (
    <>
      <div className="jp-pycaret-form">
        <SourceField model={model} state={state} />
      </div>
      {source && state.preview ? (
        <Preview
          name={source.name}
          preview={state.preview}
          target={takesTarget(state.task) ? state.target : ''}
        />
      ) : null}
      {state.preview ? (
        <div className="jp-pycaret-form">
          {takesTarget(state.task) ? <TargetField model={model} state={state} /> : null}
          <TaskField model={model} state={state} />
          {state.offer ? <PlanFields model={model} state={state} /> : <Waiting state={state} />}
        </div>
      ) : null}
      {state.trouble ? (
        <div className="jp-pycaret-notice" role="alert">
          <StatusMark status="failed" />
          <p className="jp-pycaret-notice__body">{state.trouble}</p>
        </div>
      ) : null}
      <footer className="jp-pycaret-form__foot">
        <span className="jp-pycaret-muted">
          <Fits state={state} />
        </span>
        <span className="jp-pycaret-form__gap" />
        <button type="button" className="jp-pycaret-button" onClick={onClose}>
          {trans.__('Close')}
        </button>
        <button
          type="submit"
          className="jp-pycaret-button jp-pycaret-button--primary"
          disabled={state.offer === null || state.preview === null}
          aria-disabled={state.sending || undefined}
        >
          {trans.__('Start run')}
        </button>
      </footer>
    </>
  );
}

interface IPart {
  readonly model: NewRunModel;
  readonly state: IFormState;
}

function SourceField({ model, state }: IPart): JSX.Element {
  const trans = useTrans();
  const id = useId();
  const source = state.sources.find(row => row.id === state.sourceId);
  const parts: string[] = [];
  const rows = state.preview?.total_rows ?? source?.config.rows;
  if (typeof rows === 'number') {
    parts.push(trans._n('%2 row', '%2 rows', rows, formatCount(rows)));
  }
  const columns = state.preview?.columns.length;
  if (columns !== undefined) {
    parts.push(trans._n('%2 column', '%2 columns', columns, formatCount(columns)));
  }
  if (source?.config.size_bytes !== undefined) {
    parts.push(formatSize(source.config.size_bytes));
  }
  const error = state.errors.data_source_id ?? state.previewTrouble ?? undefined;
  const hint = [
    state.dataHint,
    state.sources.length === 0
      ? trans.__('There is no data yet. Close this, and drop a CSV file on the side panel.')
      : parts.join(' · ')
  ]
    .filter(Boolean)
    .join(' ');
  return (
    <Field id={id} label={trans.__('Data source')} error={error} hint={hint}>
      <select
        className="jp-pycaret-select"
        {...tied(id, error)}
        value={state.sourceId}
        onChange={event => void model.chooseSource(event.target.value)}
      >
        {state.sourceId === '' ? <option value="">{trans.__('Choose the data')}</option> : null}
        {state.sources.map(row => (
          <option key={row.id} value={row.id}>
            {row.name}
          </option>
        ))}
      </select>
    </Field>
  );
}

function TargetField({ model, state }: IPart): JSX.Element {
  const trans = useTrans();
  const id = useId();
  const error = state.errors.target;
  const suggestion = state.preview?.suggestion;
  const suggested = suggestion?.target === state.target && suggestion.reason;
  const column = state.preview?.columns.find(one => one.name === state.target);
  const hint = suggested
    ? trans.__('Suggested: %1', suggestion.reason ?? '')
    : column
      ? trans._n(
          '%3, %2 value.',
          '%3, %2 different values.',
          column.distinct,
          formatCount(column.distinct),
          column.dtype
        )
      : null;
  return (
    <Field id={id} label={trans.__('Target')} error={error} hint={hint}>
      <select
        className="jp-pycaret-select"
        {...tied(id, error)}
        value={state.target}
        onChange={event => model.chooseTarget(event.target.value)}
      >
        {state.target === '' ? <option value="">{trans.__('Choose a column')}</option> : null}
        {state.preview?.columns.map(one => (
          <option key={one.name} value={one.name}>
            {one.name}
          </option>
        ))}
      </select>
    </Field>
  );
}

function TaskField({ model, state }: IPart): JSX.Element {
  const trans = useTrans();
  const id = useId();
  const error = state.errors.task;
  const hint =
    state.preview?.suggestion?.task === state.task
      ? trans.__('Suggested by the target.')
      : takesTarget(state.task)
        ? null
        : trans.__('No target: all columns are looked at.');
  return (
    <Field id={id} label={trans.__('Task')} error={error} hint={hint}>
      <select
        className="jp-pycaret-select"
        {...tied(id, error)}
        value={state.task}
        onChange={event => void model.chooseTask(event.target.value)}
      >
        {state.tasks.map(task => (
          <option key={task.id} value={task.id} disabled={!task.is_available}>
            {task.is_available || !task.extra
              ? task.name
              : trans.__('%1 (needs the extra “%2”)', task.name, task.extra)}
          </option>
        ))}
      </select>
    </Field>
  );
}

function Waiting({ state }: { readonly state: IFormState }): JSX.Element | null {
  const trans = useTrans();
  return state.errors.task ? null : (
    <p className="jp-pycaret-form__wide jp-pycaret-hint" role="status">
      {trans.__('Asking the engine what it offers. The first time takes some seconds.')}
    </p>
  );
}

function PlanFields({ model, state }: IPart): JSX.Element {
  const trans = useTrans();
  const id = useId();
  const experimentId = useId();
  const plan = planOf(state);
  const ranking = rankingParam(plan);
  const rows = state.preview?.total_rows ?? null;
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
      {ranking ? (
        <ParamField model={model} state={state} param={ranking} label={trans.__('Rank by')} />
      ) : null}
      {limit ? (
        <ParamField
          model={model}
          state={state}
          param={{ ...limit, description: trans.__('What is ranked by then is kept.') }}
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
      <Advanced model={model} state={state} params={advancedOf(shownParams(state))} />
    </>
  );
}

/** How much there is to do, where the form knows. */
function Fits({ state }: { readonly state: IFormState }): JSX.Element | null {
  const trans = useTrans();
  const fold = setupParam(state, 'fold');
  const folds = Number(state.values.fold ?? fold?.default);
  if (!planParam(state, 'include') || planOf(state)?.needs_model || !Number.isFinite(folds)) {
    return null;
  }
  const models = triedModels(state);
  return (
    <>
      {trans._n(
        '%2 model × %3 folds = %4 fits',
        '%2 models × %3 folds = %4 fits',
        models,
        formatCount(models),
        formatCount(folds),
        formatCount(models * folds)
      )}
    </>
  );
}
