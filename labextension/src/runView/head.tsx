import React from 'react';
import type { RunStatus } from '../api/rows';
import { Clip } from '../common/clip';
import { CommandIDs, useCommand } from '../common/commands';
import { formatCount, formatScore, formatSpan, formatTime } from '../common/format';
import { Icon, StatusMark } from '../common/icons';
import { Progress } from '../common/progress';
import { useTrans } from '../common/trans';
import { useNow } from '../common/useNow';
import { isUnfinished } from '../sidePanel/state';
import { type RunModel, shownMetric } from './model';
import { type IRunState, valueOf } from './state';

interface IPart {
  readonly model: RunModel;
  readonly state: IRunState;
}

/**
 * What run this is, how it goes, and what can be done with it as a whole.
 */
export function Head({
  model,
  state,
  onNotebook
}: IPart & { readonly onNotebook: (() => void) | null }): JSX.Element | null {
  const trans = useTrans();
  const again = useCommand(CommandIDs.newRun);
  const { run, experiment, sourceName, mayWrite, cancelling, online } = state;
  if (run === null) {
    return null;
  }
  const { target, task, setup_params: setup } = run.snapshot;
  const words: Record<RunStatus, string> = {
    queued: trans.__('Queued'),
    running: trans.__('Running'),
    succeeded: trans.__('Succeeded'),
    failed: trans.__('Failed'),
    cancelled: trans.__('Cancelled')
  };
  const unfinished = isUnfinished(run);
  // The last stage of a plan counts its own steps: in the end the board says how many there were.
  const models = unfinished
    ? state.candidates.length
    : (run.metrics_summary.models ?? 0) + (run.metrics_summary.failed ?? 0);
  // Where nobody chose, the run says how many the engine takes.
  const asked = typeof setup.fold === 'number' ? setup.fold : 0;
  const folds = state.fitting[0]?.folds ?? (state.rows[0]?.folds?.length || asked);
  const scope = [
    models > 0 ? trans._n('%2 model', '%2 models', models, formatCount(models)) : '',
    folds > 0 ? trans._n('%2 fold', '%2 folds', folds, formatCount(folds)) : ''
  ].filter(Boolean);
  return (
    <header className="jp-pycaret-head">
      <h2 className="jp-pycaret-head__title">
        <span className="jp-pycaret-status jp-pycaret-status--chip">
          <span className="jp-pycaret-status__hidden" aria-hidden="true">
            <StatusMark status={run.status} />
          </span>
          {words[run.status]}
        </span>
        <Clip>{experiment?.name ?? run.plan}</Clip>
      </h2>
      <div className="jp-pycaret-head__actions">
        {unfinished && mayWrite ? (
          <button
            type="button"
            className="jp-pycaret-button jp-pycaret-button--stop"
            // Off, and still in the tab order: the focus stays where it is.
            aria-disabled={cancelling || !online ? true : undefined}
            onClick={() => {
              if (online) {
                void model.cancel();
              }
            }}
          >
            <Icon name="stop" />
            {cancelling ? trans.__('Cancelling') : trans.__('Cancel run')}
          </button>
        ) : null}
        {unfinished ? null : (
          <>
            {onNotebook ? (
              <button type="button" className="jp-pycaret-button" onClick={onNotebook}>
                <Icon name="notebook" />
                {trans.__('Open as notebook')}
              </button>
            ) : null}
            {again && mayWrite ? (
              <button
                type="button"
                className="jp-pycaret-button"
                onClick={() => again({ runId: run.id })}
              >
                {trans.__('Run again')}
              </button>
            ) : null}
          </>
        )}
      </div>
      <Clip as="p" className="jp-pycaret-head__meta">
        <b>{run.plan}</b>
        {sourceName ? (
          <>
            {' '}
            {trans.__('on')} <b>{sourceName}</b>
          </>
        ) : null}
        {target ? (
          <>
            {' · '}
            {trans.__('target')} <b>{target}</b>
          </>
        ) : null}
        {` · ${task}`}
        {scope.length > 0 ? ` · ${scope.join(', ')}` : ''}
      </Clip>
      <Times state={state} clockOffset={model.api.clockOffset} />
    </header>
  );
}

function Times({
  state,
  clockOffset
}: {
  readonly state: IRunState;
  readonly clockOffset: number;
}): JSX.Element | null {
  const trans = useTrans();
  const { run } = state;
  const running = run?.status === 'running';
  const now = useNow(running && state.online) + clockOffset;
  if (!run) {
    return null;
  }
  if (running && run.started_at) {
    const elapsed = now - Date.parse(run.started_at);
    const limit = run.snapshot.plan_params.time_limit;
    const { done, total } = run.progress ?? { done: 0, total: 0 };
    // Two models say something about those to come; before, it would be a guess.
    const left = done >= 2 && total > done ? (elapsed / done) * (total - done) : null;
    return (
      <p className="jp-pycaret-head__times">
        <b>{formatSpan(elapsed)}</b> {trans.__('elapsed')}
        {left === null ? null : (
          <>
            {' · '}
            {trans.__('about')} <b>{formatSpan(left)}</b> {trans.__('left')}
          </>
        )}
        {typeof limit === 'number' ? ` · ${trans.__('limit %1', formatSpan(1000 * limit))}` : ''}
      </p>
    );
  }
  if (run.finished_at) {
    return (
      <p className="jp-pycaret-head__times">
        {run.duration_ms === null ? null : (
          <>
            <b>{formatSpan(run.duration_ms)}</b>
            {' · '}
          </>
        )}
        {trans.__('ended %1', formatTime(Date.parse(run.finished_at)))}
      </p>
    );
  }
  return <p className="jp-pycaret-head__times">{trans.__('Waiting for a worker')}</p>;
}

/**
 * How far it is, and what is best so far.
 */
export function Overall({ state }: { readonly state: IRunState }): JSX.Element | null {
  const trans = useTrans();
  const { run, rows } = state;
  const fitting = state.fitting[state.fitting.length - 1];
  if (run === null || !isUnfinished(run)) {
    return null;
  }
  const { done, total, label } = run.progress ?? { done: 0, total: 0, label: '' };
  const amount =
    total > 0
      ? run.plan === 'automl'
        ? trans.__('%1 of about %2 settings', formatCount(done), formatCount(total))
        : trans._n(
            '%2 of %3 model',
            '%2 of %3 models',
            total,
            formatCount(done),
            formatCount(total)
          )
      : trans.__('Not started yet');
  const now = fitting
    ? fitting.fold !== null && fitting.folds !== null
      ? trans.__('%1, fold %2 of %3', fitting.name, String(fitting.fold), String(fitting.folds))
      : fitting.name
    : label;
  const best = rows[0];
  const metric = shownMetric(state);
  return (
    <div className="jp-pycaret-overall">
      <Progress
        label={trans.__('Run progress')}
        share={total > 0 ? done / total : 0}
        text={amount}
      />
      <Clip>
        {amount} {now ? <span className="jp-pycaret-muted">{`· ${now}`}</span> : null}
      </Clip>
      {best && metric ? (
        <span>
          <span className="jp-pycaret-muted">{trans.__('Best so far')}</span> {best.name}{' '}
          <b>{formatScore(valueOf(best, metric))}</b>
        </span>
      ) : (
        <span />
      )}
    </div>
  );
}
