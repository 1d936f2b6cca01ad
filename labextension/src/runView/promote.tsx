import React, { useId, useLayoutEffect, useRef, useState } from 'react';
import { CommandIDs, useCommand } from '../common/commands';
import { formatCount, formatScore } from '../common/format';
import { Icon } from '../common/icons';
import { useTrans } from '../common/trans';
import { type RunModel, shownMetric } from './model';
import { type IRunState, isScore, valueOf } from './state';

interface IPart {
  readonly model: RunModel;
  readonly state: IRunState;
}

/**
 * The winner in figures, and the next step with it: promote, then deploy, in the same place.
 */
export function Winner({ model, state }: IPart): JSX.Element | null {
  const best = state.rows[0];
  return best ? (
    <div className="jp-pycaret-block jp-pycaret-block--loose">
      <Facts state={state} />
      {state.run?.status === 'succeeded' ? <Promote model={model} state={state} /> : null}
    </div>
  ) : null;
}

function Facts({ state }: { readonly state: IRunState }): JSX.Element | null {
  const trans = useTrans();
  const metric = shownMetric(state);
  const [best, second] = state.rows;
  if (!best || metric === null) {
    return null;
  }
  const mean = valueOf(best, metric);
  const std = best.std?.[metric];
  const next = second ? valueOf(second, metric) : null;
  const lead =
    mean === null || next === null
      ? null
      : isScore(state.metrics, metric)
        ? mean - next
        : next - mean;
  const folds = best.folds?.length ?? 0;
  return (
    <section className="jp-pycaret-block">
      <div className="jp-pycaret-block__head">
        <h3 className="jp-pycaret-block__title">{best.name}</h3>
      </div>
      <dl className="jp-pycaret-facts">
        <dt>{folds > 0 ? trans.__('%1, %2 folds', metric, formatCount(folds)) : metric}</dt>
        <dd>
          {formatScore(mean)}
          {typeof std === 'number' ? ` ± ${formatScore(std)}` : ''}
        </dd>
        {lead === null ? null : (
          <>
            <dt>{trans.__('Ahead of second')}</dt>
            <dd>
              {typeof std === 'number' && lead <= std
                ? trans.__('%1, within the spread', formatScore(lead))
                : formatScore(lead)}
            </dd>
          </>
        )}
        {typeof state.run?.snapshot.data_rows === 'number' ? (
          <>
            <dt>{trans.__('Data')}</dt>
            <dd>{trans.__('%1 rows', formatCount(state.run.snapshot.data_rows))}</dd>
          </>
        ) : null}
      </dl>
    </section>
  );
}

function Promote({ model, state }: IPart): JSX.Element {
  const trans = useTrans();
  const id = useId();
  const deploy = useCommand(CommandIDs.deploy);
  const { promoted, promoting, pipelines } = state;
  const [name, setName] = useState(state.experiment?.name ?? state.run?.plan ?? '');
  const next = useRef<HTMLButtonElement>(null);

  // The next step stands where the last one was; the focus goes on to it.
  const asked = useRef(false);
  useLayoutEffect(() => {
    if (promoted && asked.current && document.activeElement === document.body) {
      next.current?.focus();
    }
    asked.current = false;
  }, [promoted]);

  if (promoted) {
    return (
      <section className="jp-pycaret-block">
        <h3 className="jp-pycaret-block__title">
          {promoted.name} <span className="jp-pycaret-muted">{`v${promoted.version}`}</span>
        </h3>
        <p className="jp-pycaret-hint">
          {trans.__('It is kept under Models. Deploy it, and any program can call it.')}
        </p>
        {deploy ? (
          <div>
            <button
              ref={next}
              type="button"
              className="jp-pycaret-button jp-pycaret-button--primary"
              onClick={() => deploy({ pipelineId: promoted.id })}
            >
              {trans.__('Deploy')}
            </button>
          </div>
        ) : null}
      </section>
    );
  }
  const versions = pipelines.filter(row => row.name === name.trim()).map(row => row.version);
  const last = Math.max(0, ...versions);
  return (
    <form
      className="jp-pycaret-block"
      onSubmit={event => {
        event.preventDefault();
        asked.current = true;
        void model.promote(name);
      }}
    >
      <label className="jp-pycaret-block__title" htmlFor={id}>
        {trans.__('Model name')}
      </label>
      <input
        className="jp-pycaret-input"
        id={id}
        required
        pattern=".*\S.*"
        maxLength={128}
        aria-describedby={`${id}-hint`}
        value={name}
        onChange={event => setName(event.target.value)}
      />
      <p className="jp-pycaret-hint" id={`${id}-hint`}>
        {last > 0
          ? trans.__(
              'Becomes version %1. Version %2 stays as it is.',
              String(last + 1),
              String(last)
            )
          : trans.__('Becomes version 1.')}
      </p>
      <div>
        <button
          type="submit"
          className="jp-pycaret-button jp-pycaret-button--primary"
          disabled={name.trim() === ''}
          aria-disabled={promoting || undefined}
        >
          <Icon name="promote" />
          {trans.__('Promote')}
        </button>
      </div>
    </form>
  );
}
