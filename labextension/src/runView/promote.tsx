import type { ISignal } from '@lumino/signaling';
import React, { useId, useLayoutEffect, useRef, useState } from 'react';
import { CommandIDs, useCommand } from '../common/commands';
import { formatCount, formatScore } from '../common/format';
import { Icon } from '../common/icons';
import { useTrans } from '../common/trans';
import { useSignal } from '../common/useSignal';
import { type RunModel, shownMetric } from './model';
import { Result } from './result';
import { canKeep, foundOf, greaterIsBetter, type IRunState, valueOf } from './state';

/** Which pipelines are deployed already. */
export interface IDeployed {
  readonly changed: ISignal<unknown, void>;
  /** the id of a deployment that serves a pipeline */
  readonly of: (pipelineId: string) => string | null;
}

interface IPart {
  readonly model: RunModel;
  readonly state: IRunState;
  readonly deployed: IDeployed;
}

/**
 * The winner in figures, and the next step with it: promote, deploy, open, each in the same place.
 *
 * It stands above the leaderboard: JupyterLab's toasts cover the lower right corner.
 */
export function Winner({ model, state, deployed }: IPart): JSX.Element | null {
  const best = state.rows[0];
  return best ? (
    <div className="jp-pycaret-columns jp-pycaret-outcome">
      {foundOf(state) ? <Result state={state} /> : <Facts state={state} />}
      {mayPromote(state) ? <Promote model={model} state={state} deployed={deployed} /> : null}
    </div>
  ) : null;
}

/** Of a run that has succeeded, and of one that was cut short and has scored models. */
function mayPromote(state: IRunState): boolean {
  return state.run?.status === 'succeeded' ? state.mayWrite : canKeep(state);
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
      : greaterIsBetter(state, metric)
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
            <dt>{trans.__('Lead over #2')}</dt>
            <dd>
              {typeof std === 'number' && lead <= std
                ? trans.__('%1 · smaller than the variation between folds', formatScore(lead))
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

function Promote({ model, state, deployed }: IPart): JSX.Element {
  const trans = useTrans();
  const id = useId();
  const deploy = useCommand(CommandIDs.deploy);
  const open = useCommand(CommandIDs.openDeployment);
  const { promoted, promoting, pipelines } = state;
  const deployment = useSignal(deployed.changed, () =>
    promoted ? deployed.of(promoted.id) : null
  );
  const [name, setName] = useState(state.experiment?.name ?? state.run?.plan ?? '');
  const [chosen, setChosen] = useState('');
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
          {deployment
            ? trans.__('It is deployed: any program can call it.')
            : trans.__('It is kept under Models. Deploy it, and any program can call it.')}
        </p>
        {deployment && open ? (
          <div>
            <button
              type="button"
              className="jp-pycaret-button jp-pycaret-button--primary"
              onClick={() => open({ id: deployment })}
            >
              {trans.__('Open deployment')}
            </button>
          </div>
        ) : deploy ? (
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
  const keeps = canKeep(state);
  // a run that was cut short has kept none by itself
  const unsaid = state.run?.status === 'succeeded' ? null : (state.rows[0]?.model_id ?? null);
  const choices = state.rows.filter((row, n) => n === 0 || row.kept || (keeps && !row.baseline));
  const beaten = foundOf(state)?.verdict === 'not_better';
  return (
    <form
      className="jp-pycaret-block"
      onSubmit={event => {
        event.preventDefault();
        asked.current = true;
        void model.promote(name, chosen || unsaid);
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
      {choices.length > 1 ? (
        <>
          <label className="jp-pycaret-hint" htmlFor={`${id}-model`}>
            {trans.__('Model')}
          </label>
          <select
            className="jp-pycaret-select"
            id={`${id}-model`}
            value={chosen}
            onChange={event => setChosen(event.target.value)}
          >
            {choices.map((row, n) => (
              <option key={row.model_id} value={n === 0 ? '' : row.model_id}>
                {row.kept ? row.name : trans.__('%1, fitted on all rows first', row.name)}
              </option>
            ))}
          </select>
        </>
      ) : null}
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
          className={`jp-pycaret-button${beaten ? '' : ' jp-pycaret-button--primary'}`}
          disabled={name.trim() === ''}
          aria-disabled={promoting || undefined}
        >
          <Icon name="promote" />
          {beaten ? trans.__('Promote anyway') : trans.__('Promote')}
        </button>
      </div>
    </form>
  );
}
