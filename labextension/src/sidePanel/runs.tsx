import React from 'react';
import { type IRun, KEEP, runTitle } from '../api/rows';
import { CommandIDs, useCommand } from '../common/commands';
import { formatCount, formatScore, formatSpan, MISSING } from '../common/format';
import { StatusMark } from '../common/icons';
import { Progress } from '../common/progress';
import { useTrans } from '../common/trans';
import { useNow } from '../common/useNow';
import { useModel, usePanelState } from './context';
import { Hint, Region } from './region';
import { type IRowAction, Row, RowLine } from './row';
import { isUnfinished } from './state';

/**
 * Runs of the project, newest first.
 */
export function RunsRegion(): JSX.Element {
  const trans = useTrans();
  const model = useModel();
  const open = useCommand(CommandIDs.openRun);
  const again = useCommand(CommandIDs.newRun);
  const { runs, experiments, cancelling, fresh, shown, mayWrite, lost, clockOffset } =
    usePanelState();
  const busy = runs.rows.some(isUnfinished);
  const now = useNow(busy && lost === null) + clockOffset;

  const number = (status: IRun['status']) => runs.rows.filter(run => run.status === status).length;
  const running = number('running');
  const queued = number('queued');
  const count = [
    running > 0 ? trans.__('%1 running', formatCount(running)) : '',
    queued > 0 ? trans.__('%1 queued', formatCount(queued)) : ''
  ];

  const nextStep = (run: IRun): IRowAction | null => {
    const off = lost !== null;
    if (run.status === 'succeeded' && open && run.metrics_summary?.best) {
      const word = trans.__('Promote');
      return { word, name: word, off, run: () => open({ id: run.id }) };
    }
    if (run.status !== 'succeeded' && run.plan !== KEEP && again) {
      const word = trans.__('Run again');
      return { word, name: word, off, run: () => again({ runId: run.id }) };
    }
    return null;
  };

  return (
    <Region
      region="runs"
      name={trans.__('Runs')}
      list={runs}
      words={run => Object.values(runTitle(run, experiments)).join(' ')}
      count={count.filter(Boolean).join(' · ') || null}
      empty={
        <Hint>
          {trans.__(
            'Then start a run. It tries models on your data and ranks them while you go on working.'
          )}
        </Hint>
      }
      row={run => {
        const stopping = cancelling.has(run.id) || run.cancel_requested_at !== null;
        return (
          <Row
            id={run.id}
            mark={<StatusMark status={run.status} />}
            {...runTitle(run, experiments)}
            fresh={fresh.has(run.id)}
            shown={run.id === shown}
            open={open ? () => open({ id: run.id }) : null}
            action={
              mayWrite && isUnfinished(run)
                ? {
                    word: stopping ? trans.__('Cancelling') : trans.__('Cancel'),
                    name: stopping ? trans.__('Cancelling') : trans.__('Cancel run'),
                    run: () => void model.cancelRun(run.id),
                    off: stopping || lost !== null
                  }
                : mayWrite
                  ? nextStep(run)
                  : null
            }
          >
            <RunLines run={run} now={now} />
          </Row>
        );
      }}
    />
  );
}

function RunLines({ run, now }: { readonly run: IRun; readonly now: number }): JSX.Element {
  const trans = useTrans();
  const since = (time: string | null) =>
    time === null ? MISSING : formatSpan(now - Date.parse(time));
  const best = run.metrics_summary?.best ?? null;
  const winner = best ? (best.name ?? best.model_id) : null;

  switch (run.status) {
    case 'queued':
      return <RowLine>{trans.__('Queued for %1', since(run.queued_at))}</RowLine>;
    case 'running':
      return (
        <>
          <RunProgress run={run} elapsed={since(run.started_at)} />
          {best ? (
            <RowLine value={<b>{formatScore(best.value)}</b>}>
              {trans.__('Best so far')} <b title={run.metrics_summary?.metric ?? ''}>{winner}</b>
            </RowLine>
          ) : null}
        </>
      );
    case 'succeeded':
      return best ? (
        <RowLine
          value={
            <>
              <small>{run.metrics_summary?.metric}</small>
              <b>{formatScore(best.value)}</b>
            </>
          }
        >
          {winner}
        </RowLine>
      ) : (
        <RowLine>{trans.__('Succeeded')}</RowLine>
      );
    case 'failed':
      return (
        <RowLine wraps>
          {run.error ? trans.__('Failed · %1', run.error) : trans.__('Failed')}
        </RowLine>
      );
    case 'cancelled': {
      const kept = run.metrics_summary?.models ?? 0;
      const parts = [
        run.duration_ms === null
          ? trans.__('Cancelled before it started')
          : trans.__('Cancelled after %1', formatSpan(run.duration_ms)),
        kept > 0 ? trans._n('%2 row kept', '%2 rows kept', kept, formatCount(kept)) : ''
      ];
      return <RowLine>{parts.filter(Boolean).join(' · ')}</RowLine>;
    }
  }
}

function RunProgress({
  run,
  elapsed
}: {
  readonly run: IRun;
  readonly elapsed: string;
}): JSX.Element {
  const trans = useTrans();
  const { done = 0, total = 0, label = '' } = run.progress ?? {};
  const amount =
    total > 0
      ? trans._n('%2 of %3 model', '%2 of %3 models', total, formatCount(done), formatCount(total))
      : label;
  return (
    <>
      <RowLine value={elapsed}>
        <span title={label}>{amount ? trans.__('Running · %1', amount) : trans.__('Running')}</span>
      </RowLine>
      {total > 0 ? (
        <div className="jp-pycaret-row__progress">
          <Progress label={trans.__('Run progress')} share={done / total} text={amount} />
        </div>
      ) : null}
    </>
  );
}
