import React, { useEffect, useRef } from 'react';
import { Loading } from '../common/frame';
import { Icon, StatusMark } from '../common/icons';
import { useTrans } from '../common/trans';
import { useSignal } from '../common/useSignal';
import { PositiveField, SourceField, TargetField, TaskField, Waiting } from './dataFields';
import type { NewRunModel } from './model';
import { PlanFields, Summary } from './planFields';
import { Preview } from './preview';
import { sampleOf } from './samples';
import { type IFormState, takesTarget } from './state';

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
  const known = state.preview !== null || sampleOf(state.sourceId) !== null;
  return (
    <>
      <div className="jp-pycaret-form">
        <SourceField model={model} state={state} />
      </div>
      {source && state.preview && state.version === null ? (
        <details className="jp-pycaret-first">
          <summary>
            <Icon name="right" />
            {trans.__('First rows')}
          </summary>
          <Preview
            name={source.name}
            preview={state.preview}
            target={takesTarget(state) ? state.target : ''}
          />
        </details>
      ) : null}
      {known ? (
        <div className="jp-pycaret-form">
          {takesTarget(state) ? <TargetField model={model} state={state} /> : null}
          {takesTarget(state) ? <PositiveField model={model} state={state} /> : null}
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
        {/* First from the left: JupyterLab's toasts cover the lower right corner. */}
        <button
          type="submit"
          className="jp-pycaret-button jp-pycaret-button--primary"
          disabled={state.offer === null || !known}
          aria-disabled={state.sending || undefined}
        >
          {trans.__('Start run')}
        </button>
        <button type="button" className="jp-pycaret-button" onClick={onClose}>
          {trans.__('Close')}
        </button>
        <span className="jp-pycaret-muted">
          <Summary state={state} />
        </span>
      </footer>
    </>
  );
}
