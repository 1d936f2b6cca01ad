import React, { useEffect, useRef, useState } from 'react';
import type { IReadingProgress } from '../api/data';
import { Frame, Loading, Notices } from '../common/frame';
import { StatusMark } from '../common/icons';
import { Progress } from '../common/progress';
import { useTrans } from '../common/trans';
import { useAfter } from '../common/useNow';
import { useSignal } from '../common/useSignal';
import { Columns } from './columns';
import { Head } from './head';
import type { DataModel } from './model';
import type { IPart } from './part';
import { Reading } from './reading';
import type { IDataState } from './state';

export interface IDataPageProps {
  readonly model: DataModel;
  /** asks how the file is to be read */
  readonly onChangeReading: () => void;
}

/**
 * What a file says, column by column, before anything is trained.
 */
export function DataPage({ model, onChangeReading }: IDataPageProps): JSX.Element {
  const trans = useTrans();
  const state = useSignal(model.changed, () => model.state);
  const { source, profile, failure } = state;
  return (
    <Frame
      label={trans.__('Data %1', source?.name ?? '')}
      phase={state.phase}
      goneTitle={trans.__('This data source is not there any more')}
      troubleTitle={trans.__('The data cannot be shown now')}
      trouble={state.trouble}
      onRetry={() => void model.load()}
    >
      {source ? (
        <>
          <Head model={model} state={state} />
          <Notices
            line={state}
            offline={trans.__('What is missing here comes when the server is reached.')}
            signedOut={null}
            onDismiss={() => model.say(null)}
          />
          {state.sending ? <Sending model={model} state={state} /> : null}
          {state.reading && !profile ? <ReadingProgress progress={state.reading} /> : null}
          {failure ? <Failure model={model} state={state} failure={failure} /> : null}
          <Reading model={model} state={state} onChange={onChangeReading} />
          {profile ? (
            <Columns model={model} state={state} profile={profile} />
          ) : failure ? null : (
            <Loading />
          )}
          <Announcer state={state} />
        </>
      ) : null}
    </Frame>
  );
}

/** A new version on its way. */
function Sending({ model, state }: IPart): JSX.Element | null {
  const trans = useTrans();
  const { sending } = state;
  if (sending === null) {
    return null;
  }
  const { filename, sent, total } = sending;
  const share = total > 0 ? sent / total : 0;
  const percent = `${Math.floor(100 * share)} %`;
  return (
    <div className="jp-pycaret-overall">
      <Progress label={trans.__('Upload progress')} share={share} text={percent} />
      <span>
        {share < 1
          ? trans.__('Uploading %1', filename)
          : trans.__('Sent %1; the server is reading it', filename)}{' '}
        <span className="jp-pycaret-muted">{`· ${percent}`}</span>
      </span>
      <button
        type="button"
        className="jp-pycaret-button jp-pycaret-button--small"
        onClick={() => model.stopUpload()}
      >
        {trans.__('Stop upload')}
      </button>
    </div>
  );
}

/** How far a profile is; what is there within 300 ms is not announced. */
function ReadingProgress({
  progress
}: {
  readonly progress: IReadingProgress;
}): JSX.Element | null {
  const trans = useTrans();
  const late = useAfter(300);
  if (!late) {
    return null;
  }
  const { done, total } = progress;
  const share = typeof done === 'number' && total ? done / total : null;
  const percent = share === null ? null : `${Math.floor(100 * share)} %`;
  const amount = [progress.label, percent].filter(Boolean).join(', ');
  return (
    <div className="jp-pycaret-overall">
      <Progress
        label={trans.__('Reading the file')}
        share={share}
        {...(amount ? { text: amount } : {})}
      />
      <span>
        {trans.__('Reading')}{' '}
        <span className="jp-pycaret-muted">
          {`· ${amount || trans.__('all rows, in a kernel of its own')}`}
        </span>
      </span>
    </div>
  );
}

/** Why there is no profile. One can train without. */
function Failure({ model, state, failure }: IPart & { readonly failure: string }): JSX.Element {
  const trans = useTrans();
  // The first sentence says what is wrong, the others what to do.
  const end = failure.search(/(?<=\.) /);
  const [title, rest] = end < 0 ? [failure, ''] : [failure.slice(0, end), failure.slice(end)];
  return (
    <div className="jp-pycaret-notice" role="alert">
      <StatusMark status="failed" />
      <div className="jp-pycaret-notice__body">
        <p>
          <b>{title}</b>
          {rest} {state.mayWrite ? trans.__('You can train without a profile.') : null}
        </p>
        {state.mayWrite ? (
          <div className="jp-pycaret-notice__actions">
            <button
              type="button"
              className="jp-pycaret-button jp-pycaret-button--small"
              onClick={() => void model.makeAgain()}
            >
              {trans.__('Try again')}
            </button>
          </div>
        ) : null}
      </div>
    </div>
  );
}

/** The live region: that the file is being read, and that it was. */
function Announcer({ state }: { readonly state: IDataState }): JSX.Element {
  const trans = useTrans();
  const [sentence, setSentence] = useState('');
  const isReading = state.reading !== null;
  const wasReading = useRef(false);
  const { profile, failure } = state;
  useEffect(() => {
    if (isReading && !wasReading.current) {
      setSentence(trans.__('The file is being read.'));
    } else if (!isReading && wasReading.current && profile && !failure) {
      setSentence(trans.__('The file was read.'));
    }
    wasReading.current = isReading;
  }, [isReading, profile, failure, trans]);
  return (
    <div className="jp-pycaret-unseen" role="status" aria-live="polite">
      {sentence}
    </div>
  );
}
