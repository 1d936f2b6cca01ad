import React from 'react';
import type { IPipeline } from '../api/rows';
import { CommandIDs, useCommand } from '../common/commands';
import { formatScore } from '../common/format';
import { Icon } from '../common/icons';
import { useTrans } from '../common/trans';
import { usePanelState } from './context';
import { Hint, Region } from './region';
import { Row, RowLine } from './row';

/**
 * Promoted pipelines of the workspace.
 */
export function ModelsRegion(): JSX.Element {
  const trans = useTrans();
  const deploy = useCommand(CommandIDs.deploy);
  const open = useCommand(CommandIDs.openRun);
  const { models, runs, fresh, mayWrite, lost } = usePanelState();
  const nameOf = (row: IPipeline): string => {
    const best = runs.rows.find(run => run.id === row.origin_run_id)?.metrics_summary?.best;
    return best?.model_id === row.model_id ? (best.name ?? row.model_id) : row.model_id;
  };
  return (
    <Region
      region="models"
      name={trans.__('Models')}
      list={models}
      words={row => `${row.name} v${row.version} ${nameOf(row)}`}
      empty={
        <Hint>
          {trans.__('Promote the winner of a run. It is kept here under a name, with a version.')}
        </Hint>
      }
      row={row => {
        const score = scoreOf(row);
        return (
          <Row
            id={row.id}
            mark={<Icon name="model" />}
            title={row.name}
            small={`v${row.version}`}
            fresh={fresh.has(row.id)}
            open={open && row.origin_run_id ? () => open({ id: row.origin_run_id }) : null}
            action={
              mayWrite && deploy
                ? {
                    word: trans.__('Deploy'),
                    name: trans.__('Deploy'),
                    off: lost !== null,
                    run: () => deploy({ pipelineId: row.id })
                  }
                : null
            }
          >
            <RowLine
              {...(score
                ? {
                    value: (
                      <>
                        <small>{score.metric}</small>
                        {formatScore(score.value)}
                      </>
                    )
                  }
                : {})}
            >
              {nameOf(row)}
            </RowLine>
          </Row>
        );
      }}
    />
  );
}

/** The metric that one looks at first, by task. */
const FIRST_METRIC: Readonly<Record<string, string>> = {
  classification: 'Accuracy',
  regression: 'R2',
  time_series: 'MASE'
};

function scoreOf(row: IPipeline): { metric: string; value: number } | null {
  const metrics = row.metrics ?? {};
  const preferred = FIRST_METRIC[row.task];
  const names = [...(preferred ? [preferred] : []), ...Object.keys(metrics)];
  for (const metric of names) {
    const value = metrics[metric];
    if (typeof value === 'number') {
      return { metric, value };
    }
  }
  return null;
}
