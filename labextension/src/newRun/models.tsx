import React, { useId, useState } from 'react';
import { Field, tied } from '../common/field';
import { formatCount } from '../common/format';
import { Icon } from '../common/icons';
import { useTrans } from '../common/trans';
import type { NewRunModel } from './model';
import { availableModels, type IFormState, planOf, planParam } from './state';

/**
 * Which models a plan works with: one, some, or all where none is named.
 */
export function ModelsField({
  model,
  state
}: {
  readonly model: NewRunModel;
  readonly state: IFormState;
}): JSX.Element | null {
  const trans = useTrans();
  const id = useId();
  const models = availableModels(state);
  if (planOf(state)?.needs_model) {
    const error = state.errors.model_id;
    return (
      <Field
        id={id}
        label={trans.__('Models')}
        error={error}
        hint={trans.__('This plan works with one model.')}
      >
        <select
          className="jp-pycaret-select"
          {...tied(id, error)}
          value={state.modelId}
          onChange={event => model.chooseModel(event.target.value)}
        >
          <option value="">{trans.__('Choose a model')}</option>
          {models.map(one => (
            <option key={one.id} value={one.id}>
              {one.name}
            </option>
          ))}
        </select>
      </Field>
    );
  }
  return planParam(state, 'include') ? <Chips model={model} state={state} id={id} /> : null;
}

function Chips({
  model,
  state,
  id
}: {
  readonly model: NewRunModel;
  readonly state: IFormState;
  readonly id: string;
}): JSX.Element {
  const trans = useTrans();
  const [word, setWord] = useState('');
  const [unknown, setUnknown] = useState<string | null>(null);
  const models = availableModels(state);
  const turbo = models.filter(one => one.turbo).length;
  const chosen = state.include.length;
  const error =
    state.errors.include ?? (unknown ? trans.__('There is no %1.', unknown) : undefined);

  const add = (text: string): void => {
    if (text.trim() === '') {
      return;
    }
    if (model.addModel(text)) {
      setWord('');
      setUnknown(null);
    } else {
      setUnknown(text.trim());
    }
  };

  return (
    <Field
      id={id}
      label={trans.__('Models')}
      error={error}
      hint={
        chosen > 0
          ? trans.__(
              '%1 of %2 models. Remove them all to try the %3 fast ones.',
              formatCount(chosen),
              formatCount(models.length),
              formatCount(turbo)
            )
          : trans.__(
              '%1 fast models of %2. Pick some to limit the run.',
              formatCount(turbo),
              formatCount(models.length)
            )
      }
    >
      <div className="jp-pycaret-chips">
        {state.include.map(one => {
          const name = models.find(row => row.id === one)?.name ?? one;
          return (
            <span key={one} className="jp-pycaret-chip">
              {name}
              <button
                type="button"
                className="jp-pycaret-chip__remove"
                aria-label={trans.__('Remove %1', name)}
                title={trans.__('Remove')}
                onClick={() => model.removeModel(one)}
              >
                <Icon name="close" />
              </button>
            </span>
          );
        })}
        <input
          className="jp-pycaret-chips__input"
          {...tied(id, error)}
          list={`${id}-list`}
          placeholder={trans.__('Add a model')}
          value={word}
          onChange={event => {
            const text = event.target.value;
            setWord(text);
            setUnknown(null);
            // One taken from the list is whole at once.
            if (models.some(one => one.name === text)) {
              add(text);
            }
          }}
          onKeyDown={event => {
            if (event.key === 'Enter') {
              event.preventDefault();
              add(word);
            } else if (event.key === 'Backspace' && word === '' && chosen > 0) {
              model.removeModel(state.include[chosen - 1] as string);
            }
          }}
          onBlur={() => add(word)}
        />
        <datalist id={`${id}-list`}>
          {models
            .filter(one => !state.include.includes(one.id))
            .map(one => (
              <option key={one.id} value={one.name} />
            ))}
        </datalist>
      </div>
    </Field>
  );
}
