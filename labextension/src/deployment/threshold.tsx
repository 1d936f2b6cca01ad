import React, { useEffect, useId, useState } from 'react';
import { useTrans } from '../common/trans';
import { thresholdOf } from './fields';
import type { DeploymentModel, IDeploymentState } from './model';

export interface IThresholdProps {
  readonly model: DeploymentModel;
  readonly state: IDeploymentState;
}

/**
 * From which probability the last of two labels is answered; nothing for other deployments.
 */
export function Threshold({ model, state }: IThresholdProps): JSX.Element | null {
  const trans = useTrans();
  const id = useId();
  const { deployment, pipeline, mayWrite, online } = state;
  const stored = deployment?.threshold ?? null;
  const [text, setText] = useState(textOf(stored));
  useEffect(() => setText(textOf(stored)), [stored]);
  const labels = pipeline?.labels;
  if (!deployment || labels?.length !== 2) {
    return null;
  }
  const [other, positive] = labels.map(String);
  const own = pipeline?.threshold ?? null;
  const given = thresholdOf(text);
  const save = async (): Promise<void> => {
    if (given !== undefined && given !== stored) {
      await model.change({ threshold: given });
    }
    setText(textOf(model.state.deployment?.threshold ?? null));
  };
  return (
    <form
      className="jp-pycaret-endpoint__access"
      onSubmit={event => {
        event.preventDefault();
        void save();
      }}
    >
      <label htmlFor={id}>{trans.__('Threshold')}</label>
      <input
        id={id}
        type="text"
        inputMode="decimal"
        className="jp-pycaret-input jp-pycaret-input--num jp-pycaret-endpoint__threshold"
        placeholder="0.5"
        value={text}
        disabled={!mayWrite || !online}
        aria-invalid={given === undefined ? true : undefined}
        title={[
          trans.__(
            'From this probability of “%1” the answer is “%1”, below it “%2”.',
            positive,
            other
          ),
          own === null
            ? trans.__('Empty: what the model answers itself.')
            : trans.__('Empty: %1, as chosen for the model.', own)
        ].join(' ')}
        onChange={event => setText(event.target.value)}
        onBlur={() => void save()}
      />
    </form>
  );
}

function textOf(threshold: number | null): string {
  return threshold === null ? '' : String(Number(threshold.toFixed(4)));
}
