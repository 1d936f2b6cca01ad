import React from 'react';
import type { IDataSource } from '../api/rows';
import { CommandIDs, type Execute, useCommand } from '../common/commands';
import { formatCount, formatSize, formatSizes } from '../common/format';
import { Icon, StatusMark } from '../common/icons';
import { Progress } from '../common/progress';
import { useTrans } from '../common/trans';
import { sampleId, SAMPLES, wordsOf } from '../newRun/samples';
import { useDelete, useModel, usePanelState } from './context';
import { Hint, Region } from './region';
import { Row, RowLine } from './row';
import type { IUpload } from './state';

/**
 * Data sources of the workspace, and files on their way to it.
 */
export function DataRegion(): JSX.Element {
  const trans = useTrans();
  const train = useCommand(CommandIDs.newRun);
  const openData = useCommand(CommandIDs.openData);
  const askToDelete = useDelete();
  const { data, uploads, mayWrite, lost, fresh, shown } = usePanelState();
  const sending = uploads.filter(upload => upload.step !== 'refused').length;
  return (
    <Region
      region="data"
      name={trans.__('Data')}
      list={data}
      words={row => row.name}
      count={sending > 0 ? trans.__('%1 uploading', formatCount(sending)) : null}
      before={uploads.map(upload => ({ id: upload.id, row: <UploadRow upload={upload} /> }))}
      empty={
        mayWrite ? (
          <>
            <FirstUse />
            {train ? <JustLooking train={train} /> : null}
          </>
        ) : (
          <Hint>{trans.__('Members upload data here.')}</Hint>
        )
      }
      row={row => (
        <Row
          id={row.id}
          mark={
            <Icon
              name={row.kind === 's3' ? 'cloud' : row.kind === 'postgres' ? 'database' : 'table'}
            />
          }
          title={row.name}
          {...versionOf(row)}
          open={openData ? () => openData({ id: row.id }) : null}
          fresh={fresh.has(row.id)}
          shown={row.id === shown}
          action={
            mayWrite && train
              ? {
                  word: trans.__('Train'),
                  name: trans.__('Train'),
                  run: () => train({ sourceId: row.id }),
                  off: lost !== null
                }
              : null
          }
          second={
            mayWrite
              ? {
                  word: trans.__('Delete'),
                  name: trans.__('Delete data source'),
                  run: () => askToDelete(row.id),
                  off: lost !== null
                }
              : null
          }
        >
          <RowLine>{describe(row, trans)}</RowLine>
        </Row>
      )}
    />
  );
}

type Trans = ReturnType<typeof useTrans>;

/** Which version it is, where it has more than one. */
function versionOf({ version }: IDataSource): { readonly small?: string } {
  return version > 1 ? { small: `v${version}` } : {};
}

function describe({ kind, config }: IDataSource, trans: Trans): string {
  if (kind === 's3') {
    return `S3 · ${config.bucket ?? ''}/${config.key ?? ''}`;
  }
  if (kind === 'postgres') {
    const table = [config.schema, config.table].filter(Boolean).join('.');
    return `Postgres · ${table || trans.__('query on %1', config.database ?? '')}`;
  }
  const parts = [];
  if (typeof config.rows === 'number') {
    parts.push(trans._n('%2 row', '%2 rows', config.rows, formatCount(config.rows)));
  }
  if (config.columns) {
    const columns = config.columns.length;
    parts.push(trans._n('%2 column', '%2 columns', columns, formatCount(columns)));
  }
  if (parts.length === 0 && config.size_bytes !== undefined) {
    parts.push(formatSize(config.size_bytes));
  }
  return parts.join(' · ');
}

function UploadRow({ upload }: { readonly upload: IUpload }): JSX.Element {
  const trans = useTrans();
  const model = useModel();
  const { id, filename, sent, total, step, reason } = upload;
  if (step === 'refused') {
    return (
      <Row
        id={id}
        mark={<StatusMark status="failed" />}
        title={filename}
        action={{
          word: trans.__('Dismiss'),
          name: trans.__('Dismiss'),
          run: () => model.dismissUpload(id)
        }}
      >
        <RowLine wraps>{trans.__('Not uploaded · %1', reason ?? '')}</RowLine>
      </Row>
    );
  }
  const share = total > 0 ? sent / total : 0;
  const sizes = formatSizes(sent, total);
  const amount = trans.__('%1 of %2', sizes.part, sizes.whole);
  return (
    <Row
      id={id}
      mark={<StatusMark status={step === 'waiting' ? 'queued' : 'running'} />}
      title={filename}
      action={{
        word: trans.__('Stop'),
        name: trans.__('Stop upload'),
        run: () => model.stopUpload(id)
      }}
    >
      {step === 'waiting' ? (
        <RowLine>{trans.__('Waiting for the file before it')}</RowLine>
      ) : (
        <>
          <RowLine value={`${Math.floor(100 * share)} %`}>
            {step === 'checking'
              ? trans.__('Sent · the server is reading it')
              : trans.__('Uploading · %1', amount)}
          </RowLine>
          <div className="jp-pycaret-row__progress">
            <Progress label={trans.__('Upload progress')} share={share} text={amount} />
          </div>
        </>
      )}
    </Row>
  );
}

function FirstUse(): JSX.Element {
  const trans = useTrans();
  return (
    <div className="jp-pycaret-dropzone">
      <Icon name="upload" />
      <p className="jp-pycaret-drop__title">{trans.__('Start with your data')}</p>
      <p className="jp-pycaret-muted">
        {trans.__('Drop a CSV, Parquet or Excel file here, or choose one with Upload data.')}
      </p>
    </div>
  );
}

/** For whoever has no data at hand: tables that come with the engine. */
function JustLooking({ train }: { readonly train: Execute }): JSX.Element {
  const trans = useTrans();
  return (
    <p className="jp-pycaret-section__samples">
      {trans.__('Just looking? Take a sample:')}
      {SAMPLES.map(sample => (
        <button
          key={sample}
          type="button"
          className="jp-pycaret-link jp-pycaret-section__sample"
          onClick={() => train({ sourceId: sampleId(sample) })}
        >
          {wordsOf(sample)}
        </button>
      ))}
    </p>
  );
}
