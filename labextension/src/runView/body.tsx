import React, { useEffect, useRef, useState } from 'react';
import type { IRunDetail } from '../api/rows';
import { CommandIDs, useCommand } from '../common/commands';
import { formatCount, formatScore, formatTime, labelOf, MISSING } from '../common/format';
import { Frame, Notices } from '../common/frame';
import { Icon, StatusMark } from '../common/icons';
import { useTrans } from '../common/trans';
import { useSignal } from '../common/useSignal';
import { isUnfinished } from '../sidePanel/state';
import { Head, Overall } from './head';
import { SearchCurve } from './search';
import { Leaderboard } from './leaderboard';
import { Log } from './log';
import { type RunModel, shownMetric } from './model';
import { Plots } from './plots';
import { type IDeployed, Winner } from './promote';
import { type IRunState, valueOf } from './state';

export interface IRunViewProps {
  readonly model: RunModel;
  readonly deployed: IDeployed;
  /** opens the notebook that does the run again; null where nothing can open it */
  readonly onNotebook: (() => void) | null;
}

/**
 * One run, live and ended.
 */
export function RunView({ model, deployed, onNotebook }: IRunViewProps): JSX.Element {
  const trans = useTrans();
  const state = useSignal(model.changed, () => model.state);
  const { run, experiment } = state;
  return (
    <Frame
      label={trans.__('Run %1', experiment?.name ?? run?.plan ?? '')}
      phase={state.phase}
      goneTitle={trans.__('This run is not there any more')}
      troubleTitle={trans.__('The run cannot be shown now')}
      trouble={state.trouble}
      onRetry={() => void model.load()}
    >
      {run ? (
        <>
          <Head model={model} state={state} onNotebook={onNotebook} />
          <Notices
            line={state}
            offline={
              isUnfinished(run)
                ? trans.__('The run goes on. This view follows again when the server is reached.')
                : trans.__(
                    'The run has ended. What is missing here comes when the server is reached.'
                  )
            }
            signedOut={isUnfinished(run) ? trans.__('The run goes on.') : null}
            onDismiss={() => model.say(null)}
          />
          {run.status === 'failed' ? <Failure run={run} mayWrite={state.mayWrite} /> : null}
          <Overall state={state} />
          <SearchCurve state={state} />
          {isUnfinished(run) ? null : <Winner model={model} state={state} deployed={deployed} />}
          <Leaderboard model={model} state={state} />
          {isUnfinished(run) ? <Live state={state} /> : <Ended model={model} state={state} />}
          <Announcer state={state} />
        </>
      ) : null}
    </Frame>
  );
}

interface IPart {
  readonly model: RunModel;
  readonly state: IRunState;
}

/** Why it failed, and what to do about it. */
function Failure({
  run,
  mayWrite
}: {
  readonly run: IRunDetail;
  readonly mayWrite: boolean;
}): JSX.Element {
  const trans = useTrans();
  const change = useCommand(CommandIDs.newRun);
  return (
    <div className="jp-pycaret-notice">
      <StatusMark status="failed" />
      <div className="jp-pycaret-notice__body">
        <p className="jp-pycaret-notice__title">{trans.__('The run failed')}</p>
        <p>{run.error ?? trans.__('The server gave no reason.')}</p>
      </div>
      {change && mayWrite ? (
        <button
          type="button"
          className="jp-pycaret-button jp-pycaret-button--ghost jp-pycaret-button--small"
          onClick={() => change({ runId: run.id })}
        >
          {run.error_kind === 'user' ? trans.__('Change set-up') : trans.__('Run again')}
        </button>
      ) : null}
    </div>
  );
}

function Live({ state }: { readonly state: IRunState }): JSX.Element {
  const trans = useTrans();
  return (
    <div className="jp-pycaret-columns">
      <section className="jp-pycaret-block">
        <div className="jp-pycaret-block__head">
          <h3 className="jp-pycaret-block__title">{trans.__('Events')}</h3>
          <span className="jp-pycaret-block__aside">
            {trans.__('newest first · %1', formatCount(state.events.length))}
          </span>
        </div>
        <Log events={state.events} start={startOf(state)} />
      </section>
      <div className="jp-pycaret-block jp-pycaret-block--loose">
        <section className="jp-pycaret-block">
          <h3 className="jp-pycaret-block__title">{trans.__('Data')}</h3>
          <Changes state={state} />
        </section>
        <section className="jp-pycaret-block">
          <h3 className="jp-pycaret-block__title">{trans.__('Set-up')}</h3>
          <SetUp state={state} />
        </section>
      </div>
    </div>
  );
}

function Ended({ model, state }: IPart): JSX.Element {
  const trans = useTrans();
  const last = state.events[state.events.length - 1];
  return (
    <>
      {state.rows.length > 0 ? <Plots model={model} state={state} /> : null}
      <div className="jp-pycaret-folds">
        <Fold
          title={trans.__('Events')}
          aside={
            last
              ? trans.__(
                  '%1, the last at %2',
                  formatCount(state.events.length),
                  formatTime(Date.parse(last.timestamp))
                )
              : formatCount(state.events.length)
          }
        >
          <Log events={state.events} start={startOf(state)} />
        </Fold>
        <Fold
          title={trans.__('Data')}
          aside={
            state.changes.length > 0
              ? trans._n(
                  '%2 change before training',
                  '%2 changes before training',
                  state.changes.length,
                  formatCount(state.changes.length)
                )
              : trans.__('unchanged before training')
          }
        >
          <Changes state={state} />
        </Fold>
        <Fold title={trans.__('Set-up')} aside={kernelOf(state)}>
          <SetUp state={state} />
        </Fold>
      </div>
    </>
  );
}

/** What is folded away is not drawn. */
function Fold({
  title,
  aside,
  children
}: {
  readonly title: string;
  readonly aside: string;
  readonly children: React.ReactNode;
}): JSX.Element {
  const [open, setOpen] = useState(false);
  return (
    <details open={open} onToggle={event => setOpen(event.currentTarget.open)}>
      <summary>
        <Icon name="right" />
        {title} <span>{aside}</span>
      </summary>
      {open ? <div className="jp-pycaret-folds__inside">{children}</div> : null}
    </details>
  );
}

function Changes({ state }: { readonly state: IRunState }): JSX.Element {
  const trans = useTrans();
  if (state.changes.length === 0) {
    return <p className="jp-pycaret-hint">{trans.__('Nothing was changed before training.')}</p>;
  }
  return (
    <div className="jp-pycaret-notice">
      <Icon name="info" />
      <div className="jp-pycaret-notice__body">
        <p className="jp-pycaret-notice__title">
          {trans._n(
            '%2 change before training',
            '%2 changes before training',
            state.changes.length,
            formatCount(state.changes.length)
          )}
        </p>
        <ul role="list" className="jp-pycaret-list">
          {state.changes.map(change => (
            <li key={change}>{change}</li>
          ))}
        </ul>
      </div>
    </div>
  );
}

function SetUp({ state }: { readonly state: IRunState }): JSX.Element | null {
  const trans = useTrans();
  const { run } = state;
  if (!run) {
    return null;
  }
  const { setup_params: setup, plan_params: plan, seed, data_rows: rows } = run.snapshot;
  const facts: Array<[string, string]> = [];
  if (rows !== null) {
    facts.push([trans.__('Rows'), formatCount(rows)]);
  }
  for (const [name, value] of Object.entries({ ...setup, ...plan })) {
    facts.push([
      FACTS[name]?.(trans) ?? labelOf(name),
      Array.isArray(value)
        ? value.map(one => state.names[String(one)] ?? String(one)).join(', ')
        : typeof value === 'object'
          ? JSON.stringify(value)
          : String(value)
    ]);
  }
  if (seed !== null) {
    facts.push([trans.__('Seed'), String(seed)]);
  }
  facts.push([trans.__('Kernel'), kernelOf(state)]);
  return (
    <dl className="jp-pycaret-facts">
      {facts.map(([name, value]) => (
        <React.Fragment key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </React.Fragment>
      ))}
    </dl>
  );
}

/** Parameters whose own name says less than the form does. */
const FACTS: Readonly<Record<string, (trans: Trans) => string>> = {
  fold: trans => trans.__('Folds'),
  include: trans => trans.__('Models'),
  sort: trans => trans.__('Rank by')
};

type Trans = ReturnType<typeof useTrans>;

function kernelOf({ run }: IRunState): string {
  const { python, pycaret } = run?.snapshot.versions ?? {};
  return `Python ${python ?? MISSING} · PyCaret ${pycaret ?? MISSING}`;
}

function startOf({ run, events }: IRunState): number {
  return Date.parse(run?.started_at ?? events[0]?.timestamp ?? run?.created_at ?? '');
}

/** ms between two sentences about a new best */
const QUIET = 10000;

/** The live region: start, every new best, and the end. */
function Announcer({ state }: { readonly state: IRunState }): JSX.Element {
  const trans = useTrans();
  const [sentence, setSentence] = useState('');
  const saidAt = useRef(0);
  const { run, rows } = state;
  const status = run?.status;
  const best = rows[0];
  const metric = shownMetric(state);
  const value = best && metric ? formatScore(valueOf(best, metric)) : null;

  useEffect(() => {
    if (status === 'running') {
      setSentence(trans.__('The run has started.'));
    } else if (status === 'succeeded') {
      setSentence(trans.__('The run has succeeded.'));
    } else if (status === 'failed') {
      setSentence(trans.__('The run has failed.'));
    } else if (status === 'cancelled') {
      setSentence(trans.__('The run was cancelled.'));
    }
  }, [status, trans]);
  const name = best?.name;
  useEffect(() => {
    if (name && value && status === 'running' && Date.now() - saidAt.current > QUIET) {
      saidAt.current = Date.now();
      setSentence(trans.__('New best: %1, %2.', name, value));
    }
  }, [name, value, status, trans]);
  return (
    <div className="jp-pycaret-unseen" role="status" aria-live="polite">
      {sentence}
    </div>
  );
}
