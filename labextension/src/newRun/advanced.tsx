import React, { useId } from 'react';
import type { IParam } from '../api/engine';
import { Field, tied } from '../common/field';
import { formatCount, labelOf } from '../common/format';
import { Icon } from '../common/icons';
import { useTrans } from '../common/trans';
import type { NewRunModel } from './model';
import { kindOf, parse, textOf } from './params';
import { defaultMetric, type IFormState, setupParam } from './state';

/** What parameters are about, in the order of the form; the rest comes first. */
const GROUPS = ['', 'validation', 'preparation', 'reading'] as const;

function groupOf(param: IParam): string {
  const group = param.group ?? '';
  return (GROUPS as ReadonlyArray<string>).includes(group) ? group : '';
}

/**
 * What most people leave as it is, folded away.
 */
export function Advanced({
  model,
  state,
  params
}: {
  readonly model: NewRunModel;
  readonly state: IFormState;
  readonly params: ReadonlyArray<IParam>;
}): JSX.Element | null {
  const trans = useTrans();
  if (params.length === 0) {
    return null;
  }
  const touched = params.filter(param => state.values[param.name] !== undefined).length;
  const words: Record<string, string> = {
    validation: trans.__('Validation: how rows are split and scored'),
    preparation: trans.__('Preparation: what models get of the columns'),
    reading: trans.__('Reading: what the columns hold')
  };
  const faulty = params.some(param => state.errors[param.name] !== undefined);
  return (
    <details className="jp-pycaret-form__fold jp-pycaret-form__more" open={faulty || undefined}>
      <summary>
        <Icon name="right" />
        {trans.__('Advanced set-up')}{' '}
        <span className="jp-pycaret-muted">
          {touched > 0
            ? trans.__('%1 settings, %2 changed', formatCount(params.length), formatCount(touched))
            : trans.__('%1 settings, all at defaults', formatCount(params.length))}
        </span>
      </summary>
      {GROUPS.map(group => {
        const inside = params.filter(param => groupOf(param) === group);
        return inside.length === 0 ? null : (
          <fieldset key={group} className="jp-pycaret-form jp-pycaret-form__group-of">
            {group === '' ? null : (
              <legend className="jp-pycaret-form__legend">{words[group]}</legend>
            )}
            {inside.map(param => (
              <ParamField key={param.name} model={model} state={state} param={param} />
            ))}
          </fieldset>
        );
      })}
    </details>
  );
}

/** Metrics of scikit-learn that the run asks for: it can be ordered by them too. */
function customMetrics(state: IFormState): ReadonlyArray<string> {
  const param = setupParam(state, 'custom_metrics');
  const names = param && parse(param, state.values.custom_metrics ?? '').value;
  return Array.isArray(names) ? (names as string[]) : [];
}

/**
 * A parameter, asked for as its schema says.
 */
export function ParamField({
  model,
  state,
  param,
  label,
  unit
}: {
  readonly model: NewRunModel;
  readonly state: IFormState;
  readonly param: IParam;
  readonly label?: string;
  readonly unit?: string;
}): JSX.Element {
  const trans = useTrans();
  const id = useId();
  const kind = kindOf(param);
  const error = state.errors[param.name];
  const text = state.values[param.name];
  const set = (value: string): void => model.set(param.name, value);
  const fallback = textOf(param.default);
  const ties = tied(id, error);

  let control: JSX.Element;
  if (kind === 'flag') {
    control = (
      <input
        type="checkbox"
        className="jp-pycaret-checkbox"
        {...ties}
        checked={(text ?? fallback) === 'true'}
        onChange={event => set(String(event.target.checked))}
      />
    );
  } else if (kind === 'choice' || kind === 'metric' || kind === 'column' || kind === 'source') {
    const options =
      kind === 'choice'
        ? (param.schema.enum ?? []).map(one => ({
            id: one ?? '',
            name: one ?? trans.__('As the data need it')
          }))
        : kind === 'metric'
          ? [
              ...(state.offer?.metrics ?? []).map(one => ({ id: one.id, name: one.name })),
              ...customMetrics(state).map(name => ({ id: name, name }))
            ]
          : kind === 'source'
            ? state.sources
                .filter(one => one.id !== state.sourceId)
                .map(one => ({ id: one.id, name: one.name }))
            : (state.preview?.columns ?? []).map(one => ({ id: one.name, name: one.name }));
    control = (
      <select
        className="jp-pycaret-select"
        {...ties}
        value={text ?? (kind === 'metric' ? fallback || defaultMetric(state) : fallback)}
        onChange={event => set(event.target.value)}
      >
        {kind === 'column' ? <option value="">{trans.__('None')}</option> : null}
        {kind === 'source' ? <option value="">{trans.__('A part of the rows')}</option> : null}
        {options.map(one => (
          <option key={one.id} value={one.id}>
            {one.name}
          </option>
        ))}
      </select>
    );
  } else {
    const number = kind === 'number';
    control = (
      <input
        type="text"
        className={`jp-pycaret-input ${number ? 'jp-pycaret-input--num jp-pycaret-input--short' : 'jp-pycaret-input--wide'}`}
        inputMode={number ? 'decimal' : undefined}
        {...ties}
        value={text ?? fallback}
        onChange={event => set(event.target.value)}
      />
    );
  }
  return (
    <Field
      id={id}
      label={label ?? (kind === 'source' ? trans.__('Hold-out') : labelOf(param.name))}
      error={error}
      hint={param.description}
    >
      {unit ? (
        <span className="jp-pycaret-form__group">
          {control}
          <span className="jp-pycaret-form__unit">{unit}</span>
        </span>
      ) : (
        control
      )}
    </Field>
  );
}
