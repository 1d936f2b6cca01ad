import React from 'react';
import { CommandIDs, useCommand } from '../common/commands';
import { formatCount, formatMilliseconds } from '../common/format';
import { StatusMark } from '../common/icons';
import { useTrans } from '../common/trans';
import { useModel, usePanelState } from './context';
import { Hint, Region } from './region';
import { Row, RowLine } from './row';

/**
 * Endpoints of the workspace.
 */
export function DeploymentsRegion(): JSX.Element {
  const trans = useTrans();
  const model = useModel();
  const open = useCommand(CommandIDs.openDeployment);
  const { deployments, fresh, shown, mayWrite, lost } = usePanelState();
  const active = deployments.rows.filter(row => row.status === 'active').length;
  return (
    <Region
      region="deployments"
      name={trans.__('Deployments')}
      list={deployments}
      words={row => row.endpoint_slug}
      count={deployments.rows.length > 0 ? trans.__('%1 active', formatCount(active)) : null}
      empty={<Hint>{trans.__('Deploy a model. Any program can then call it over HTTP.')}</Hint>}
      row={row => {
        const requests = trans._n(
          '%2 request',
          '%2 requests',
          row.inference_count,
          formatCount(row.inference_count)
        );
        const word = row.status === 'active' ? trans.__('Active') : trans.__('Paused');
        return (
          <Row
            id={row.id}
            mark={<StatusMark status={row.status} />}
            title={row.endpoint_slug}
            fresh={fresh.has(row.id)}
            shown={row.id === shown}
            open={open ? () => open({ id: row.id }) : null}
            action={
              mayWrite && row.status === 'paused'
                ? {
                    word: trans.__('Resume'),
                    name: trans.__('Resume'),
                    run: () => void model.resumeDeployment(row.id),
                    off: lost !== null
                  }
                : open
                  ? {
                      word: trans.__('Try it'),
                      name: trans.__('Try it'),
                      run: () => open({ id: row.id })
                    }
                  : null
            }
          >
            <RowLine
              value={
                <>
                  <small>p50</small>
                  {formatMilliseconds(row.p50_latency_ms)}
                </>
              }
            >
              {`${word} · ${requests}`}
            </RowLine>
          </Row>
        );
      }}
    />
  );
}
