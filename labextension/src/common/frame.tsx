import React from 'react';
import { Icon, StatusMark } from './icons';
import { Instead, SignedOutNote, SignInAgain } from './instead';
import type { ILine } from './line';
import type { ViewPhase } from './phase';
import { useTrans } from './trans';
import { useAfter } from './useNow';

export interface IFrameProps {
  /** the accessible name */
  readonly label: string;
  readonly phase: ViewPhase;
  /** titles where it was deleted, and where it cannot be read */
  readonly goneTitle: string;
  readonly troubleTitle: string;
  readonly trouble: string | null;
  readonly onRetry: () => void;
  readonly children: React.ReactNode;
}

/**
 * The frame of a view in the main area: never blank, and never busy without an end.
 */
export function Frame(props: IFrameProps): JSX.Element {
  const trans = useTrans();
  const { label, phase, goneTitle, troubleTitle, trouble, onRetry, children } = props;
  return (
    <article
      className="jp-pycaret jp-pycaret-view"
      aria-label={label}
      aria-busy={phase === 'loading'}
    >
      {phase === 'loading' ? <Loading /> : null}
      {phase === 'signedOut' ? <SignedOutNote /> : null}
      {phase === 'missing' ? (
        <Instead title={goneTitle} sentence={trans.__('Somebody deleted it. Close this tab.')} />
      ) : null}
      {phase === 'trouble' ? (
        <Instead title={troubleTitle} sentence={trouble ?? trans.__('The server gave no reason.')}>
          <div>
            <button type="button" className="jp-pycaret-button" onClick={onRetry}>
              {trans.__('Try again')}
            </button>
          </div>
        </Instead>
      ) : null}
      {phase === 'live' ? children : null}
    </article>
  );
}

/** What is there within 300 ms needs no skeleton. */
export function Loading(): JSX.Element | null {
  const late = useAfter(300);
  return late ? (
    <div aria-hidden="true">
      {[240, 400, 320].map(width => (
        <div key={width} className="jp-pycaret-skeleton">
          <i />
          <i style={{ width }} />
        </div>
      ))}
    </div>
  ) : null;
}

/**
 * What is not as it should be while the content stands: a lost line, an action that did not work.
 */
export function Notices({
  line,
  offline,
  signedOut,
  onDismiss
}: {
  /** with an action that did not work, in one sentence */
  readonly line: ILine & { readonly notice: string | null };
  /** what a lost connection means here */
  readonly offline: string;
  /** what goes on while somebody is signed out; null where nothing does */
  readonly signedOut: string | null;
  readonly onDismiss: () => void;
}): JSX.Element {
  const trans = useTrans();
  return (
    <>
      {line.signedOut ? (
        <div className="jp-pycaret-notice" role="status">
          <StatusMark status="warning" />
          <p className="jp-pycaret-notice__body">
            <b>{trans.__('You are signed out.')}</b>{' '}
            {trans.__('Your login to this server has expired.')} {signedOut}
          </p>
          <SignInAgain />
        </div>
      ) : line.online ? null : (
        <div className="jp-pycaret-notice" role="status">
          <StatusMark status="warning" />
          <p className="jp-pycaret-notice__body">
            <b>{line.reason ?? trans.__('Connection lost.')}</b> {offline}
          </p>
        </div>
      )}
      {line.notice ? (
        <div className="jp-pycaret-notice" role="alert">
          <StatusMark status="failed" />
          <p className="jp-pycaret-notice__body">{line.notice}</p>
          <button
            type="button"
            className="jp-pycaret-button jp-pycaret-button--icon"
            aria-label={trans.__('Dismiss')}
            title={trans.__('Dismiss')}
            onClick={onDismiss}
          >
            <Icon name="close" />
          </button>
        </div>
      ) : null}
    </>
  );
}
