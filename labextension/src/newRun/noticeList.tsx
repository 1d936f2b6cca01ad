import React, { useLayoutEffect, useRef } from 'react';
import { formatCount } from '../common/format';
import { StatusMark } from '../common/icons';
import { useTrans } from '../common/trans';
import { askedOf, type IAsked, type Place } from './notices';
import type { IPart } from './part';

/** notices drawn at one place */
const MOST = 5;

/**
 * What was noticed about one part of the form: each asks for a decision, with one button, and becomes a
 * line with `Undo`.
 */
export function Notices({
  model,
  state,
  place
}: IPart & { readonly place: Place }): JSX.Element | null {
  const trans = useTrans();
  const asked = askedOf(state, trans).filter(one => one.place === place);
  return asked.length === 0 ? null : (
    <>
      {asked.slice(0, MOST).map((one, index) => (
        <Asked key={index} model={model} asked={one} />
      ))}
      {asked.length > MOST ? (
        <p className="jp-pycaret-hint">
          {trans.__('%1 more on the data page.', formatCount(asked.length - MOST))}
        </p>
      ) : null}
    </>
  );
}

function Asked({ model, asked }: Pick<IPart, 'model'> & { readonly asked: IAsked }): JSX.Element {
  const trans = useTrans();
  const button = useRef<HTMLButtonElement>(null);
  const pressed = useRef(false);
  const { notice, word, name, undoName, done, isDone, isOffered } = asked;
  // The button that was pressed goes: the one that takes it back has the focus then.
  useLayoutEffect(() => {
    if (pressed.current) {
      pressed.current = false;
      button.current?.focus();
    }
  }, [isDone]);
  const press = (): void => {
    pressed.current = true;
    model.answer(notice, !isDone);
  };
  if (isDone) {
    return (
      <p className="jp-pycaret-form__done">
        <span className="jp-pycaret-muted">{done}</span>
        <button
          ref={button}
          type="button"
          className="jp-pycaret-button jp-pycaret-button--ghost jp-pycaret-button--small"
          aria-label={undoName}
          onClick={press}
        >
          {trans.__('Undo')}
        </button>
      </p>
    );
  }
  // The first sentence says what it is, the others what it means.
  const end = notice.message.search(/(?<=\.) /);
  const [title, rest] =
    end < 0 ? [notice.message, ''] : [notice.message.slice(0, end), notice.message.slice(end)];
  return (
    <div className="jp-pycaret-notice jp-pycaret-notice--ask">
      <StatusMark status="warning" />
      <div className="jp-pycaret-notice__body">
        <p>
          <b>{title}</b>
          {rest}
        </p>
      </div>
      {isOffered ? (
        <button
          ref={button}
          type="button"
          className="jp-pycaret-button jp-pycaret-button--small"
          aria-label={name === word ? undefined : name}
          onClick={press}
        >
          {word}
        </button>
      ) : null}
    </div>
  );
}
