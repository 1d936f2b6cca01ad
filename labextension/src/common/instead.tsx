import React from 'react';
import { useTrans } from './trans';

/**
 * In place of what cannot be shown: a title, a sentence, a next step.
 */
export function Instead({
  title,
  sentence,
  children
}: {
  readonly title: string;
  readonly sentence: string;
  readonly children?: React.ReactNode;
}): JSX.Element {
  return (
    <div className="jp-pycaret-empty" role="alert">
      <h2 className="jp-pycaret-empty__title">{title}</h2>
      <p>{sentence}</p>
      {children}
    </div>
  );
}

/** Jupyter does not know the person any more. */
export function SignedOutNote(): JSX.Element {
  const trans = useTrans();
  return (
    <Instead
      title={trans.__('You are signed out')}
      sentence={trans.__('Your login to this server has expired. Runs go on.')}
    >
      <div>
        <SignInAgain primary />
      </div>
    </Instead>
  );
}

/** Loads the page anew: Jupyter then asks who it is, and comes back with the layout as it was. */
export function SignInAgain({ primary = false }: { readonly primary?: boolean }): JSX.Element {
  const trans = useTrans();
  return (
    <button
      type="button"
      className={`jp-pycaret-button jp-pycaret-button--${primary ? 'primary' : 'small'}`}
      onClick={() => window.location.reload()}
    >
      {trans.__('Sign in again')}
    </button>
  );
}
