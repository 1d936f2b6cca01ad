import React, { useEffect, useId, useRef } from 'react';
import { Clip } from '../common/clip';
import { formatCount } from '../common/format';
import { StatusMark } from '../common/icons';
import { useTrans } from '../common/trans';
import { kindOf } from './fields';
import type { DeploymentModel, IDeploymentState } from './model';

/** labels whose probabilities are drawn */
const LABELS = 12;

interface IPart {
  readonly model: DeploymentModel;
  readonly state: IDeploymentState;
}

/**
 * A form made from the schema of the deployment.
 */
export function TryIt({ model, state }: IPart): JSX.Element {
  const trans = useTrans();
  const id = useId();
  const form = useRef<HTMLFormElement>(null);
  const { schema, schemaTrouble, errors, texts, predicting, deployment, mayWrite } = state;
  useEffect(() => {
    if (Object.keys(errors).length > 0) {
      form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
    }
  }, [errors]);
  const fields = Object.entries(schema?.row.properties ?? {});
  return (
    <form
      ref={form}
      className="jp-pycaret-block jp-pycaret-block--form"
      aria-label={trans.__('Try it')}
      noValidate
      onSubmit={event => {
        event.preventDefault();
        void model.predict();
      }}
    >
      <div className="jp-pycaret-block__head">
        <h3 className="jp-pycaret-block__title">{trans.__('Try it')}</h3>
        <span className="jp-pycaret-block__aside">{trans.__('empty is sent as missing')}</span>
      </div>
      {mayWrite ? null : (
        <p className="jp-pycaret-hint">
          {trans.__('You may look. Members of the workspace predict.')}
        </p>
      )}
      {schemaTrouble ? <p className="jp-pycaret-hint">{schemaTrouble}</p> : null}
      <div className={`jp-pycaret-try${fields.length > 12 ? ' jp-pycaret-try--long' : ''}`}>
        {fields.map(([name, field], index) => {
          const kind = kindOf(field);
          const fieldId = `${id}-${index}`;
          const error = errors[name];
          const shared = {
            id: fieldId,
            value: texts[name] ?? '',
            title: field.description,
            'aria-invalid': error ? (true as const) : undefined,
            'aria-describedby': error ? `${fieldId}-error` : undefined
          };
          return (
            <React.Fragment key={name}>
              <label htmlFor={fieldId} className="jp-pycaret-clip" title={name}>
                {name} <span className="jp-pycaret-try__type">{kind}</span>
              </label>
              {kind === 'boolean' ? (
                <select
                  className="jp-pycaret-select"
                  {...shared}
                  onChange={event => model.set(name, event.target.value)}
                >
                  <option value="">{trans.__('missing')}</option>
                  <option value="true">true</option>
                  <option value="false">false</option>
                </select>
              ) : (
                <input
                  type="text"
                  className={`jp-pycaret-input${kind === 'string' ? '' : ' jp-pycaret-input--num'}`}
                  inputMode={kind === 'string' ? undefined : 'decimal'}
                  list={field.examples ? `${fieldId}-list` : undefined}
                  {...shared}
                  onChange={event => model.set(name, event.target.value)}
                />
              )}
              {field.examples ? (
                <datalist id={`${fieldId}-list`}>
                  {field.examples.map(one => (
                    <option key={String(one)} value={String(one)} />
                  ))}
                </datalist>
              ) : null}
              {error ? (
                <p className="jp-pycaret-form__error jp-pycaret-form__wide" id={`${fieldId}-error`}>
                  <StatusMark status="failed" />
                  <span>{error}</span>
                </p>
              ) : null}
            </React.Fragment>
          );
        })}
      </div>
      <div className="jp-pycaret-inline">
        <button
          type="submit"
          className="jp-pycaret-button jp-pycaret-button--primary"
          disabled={!mayWrite || schema === null || deployment?.status !== 'active'}
          aria-disabled={predicting || undefined}
        >
          {trans.__('Predict')}
        </button>
        <button
          type="button"
          className="jp-pycaret-button jp-pycaret-button--ghost"
          onClick={() => model.example()}
        >
          {trans.__('Example values')}
        </button>
      </div>
    </form>
  );
}

/**
 * What the deployment answered, in the words of the data.
 */
export function Answer({ state }: { readonly state: IDeploymentState }): JSX.Element {
  const trans = useTrans();
  const { answer, refusal, predicting } = state;
  const first = answer?.predictions[0];
  const probabilities = Object.entries(first?.probabilities ?? {})
    .sort(([, a], [, b]) => b - a)
    .slice(0, LABELS);
  return (
    <section className="jp-pycaret-block jp-pycaret-block--form">
      <div className="jp-pycaret-block__head">
        <h3 className="jp-pycaret-block__title">{trans.__('Answer')}</h3>
        {answer ? (
          <span className="jp-pycaret-block__aside">
            {`${formatCount(Math.max(1, Math.round(answer.latency_ms)))} ms`}
          </span>
        ) : null}
      </div>
      <div className="jp-pycaret-answer" role="status" aria-label={trans.__('Answer')}>
        {predicting ? (
          <p className="jp-pycaret-muted">
            {trans.__('Asking. The first answer takes some seconds: the model is loaded.')}
          </p>
        ) : refusal ? (
          <p className="jp-pycaret-form__error">
            <StatusMark status="failed" />
            <span>{refusal}</span>
          </p>
        ) : first ? (
          <>
            <p className="jp-pycaret-answer__label">
              <Clip>{String(first.prediction)}</Clip>
              {typeof first.score === 'number' ? (
                <small>{trans.__('score %1', first.score.toFixed(4))}</small>
              ) : null}
              {first.time === undefined ? null : <small>{String(first.time)}</small>}
            </p>
            {probabilities.length > 0 ? (
              <div className="jp-pycaret-proba">
                {probabilities.map(([label, share], index) => (
                  <React.Fragment key={label}>
                    <Clip>{label}</Clip>
                    <div className={`jp-pycaret-bar${index === 0 ? ' jp-pycaret-bar--best' : ''}`}>
                      <span
                        className="jp-pycaret-bar__fill"
                        style={{ width: `${(100 * share).toFixed(1)}%` }}
                      />
                    </div>
                    <span className="jp-pycaret-num">{share.toFixed(4)}</span>
                  </React.Fragment>
                ))}
              </div>
            ) : null}
            {answer?.warnings.map(warning => (
              <p key={warning} className="jp-pycaret-hint">
                {warning}
              </p>
            ))}
          </>
        ) : (
          <p className="jp-pycaret-muted">
            {trans.__('Press Predict, and the answer stands here.')}
          </p>
        )}
      </div>
    </section>
  );
}
