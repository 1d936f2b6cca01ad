import React, { useId } from 'react';
import type { ISuggestion } from '../api/data';
import { CommandIDs, useCommand } from '../common/commands';
import { Field, tied } from '../common/field';
import { formatCount, formatSize } from '../common/format';
import { type ILevelBar, Levels } from '../common/levels';
import { useTrans } from '../common/trans';
import { VersionPicker } from '../common/versionPicker';
import { columnNames, targetColumn } from './columns';
import { labelsOf } from './labels';
import { Notices } from './noticeList';
import { isLabelled } from './notices';
import type { IPart } from './part';
import { SAMPLE_TARGET, sampleId, sampleOf, SAMPLES, wordsOf } from './samples';
import { type IFormState, setupParam, takesTarget } from './state';

/** Which data, and how much of it there is. */
export function SourceField({ model, state }: IPart): JSX.Element {
  const trans = useTrans();
  const id = useId();
  const source = state.sources.find(row => row.id === state.sourceId);
  const parts: string[] = [];
  const openData = useCommand(CommandIDs.openData);
  const shown = state.versions.find(one => one.version === state.version) ?? state.versions[0];
  const rows =
    state.profile?.rows ?? shown?.rows ?? state.preview?.total_rows ?? source?.config.rows;
  if (typeof rows === 'number') {
    parts.push(trans._n('%2 row', '%2 rows', rows, formatCount(rows)));
  }
  const columns = columnNames(state).length || undefined;
  if (columns !== undefined) {
    parts.push(trans._n('%2 column', '%2 columns', columns, formatCount(columns)));
  }
  const size = shown?.size_bytes ?? source?.config.size_bytes;
  if (size !== undefined) {
    parts.push(formatSize(size));
  }
  const error = state.errors.data_source_id ?? state.previewTrouble ?? undefined;
  const hint = [
    state.dataHint,
    sampleOf(state.sourceId) !== null
      ? trans.__('A table that comes with the engine. Nothing is uploaded.')
      : state.sources.length === 0
        ? trans.__('There is no data yet. Drop a CSV file on the side panel, or take a sample.')
        : parts.join(' · ')
  ]
    .filter(Boolean)
    .join(' ');
  return (
    <Field
      id={id}
      label={trans.__('Data source')}
      error={error}
      hint={
        source && openData ? (
          <>
            {hint ? `${hint} · ` : ''}
            <button
              type="button"
              className="jp-pycaret-link"
              onClick={() => openData({ id: source.id })}
            >
              {trans.__('Open data page')}
            </button>
          </>
        ) : (
          hint
        )
      }
    >
      <select
        className="jp-pycaret-select"
        {...tied(id, error)}
        value={state.sourceId}
        onChange={event => void model.chooseSource(event.target.value)}
      >
        {state.sourceId === '' ? <option value="">{trans.__('Choose the data')}</option> : null}
        {state.sources.map(row => (
          <option key={row.id} value={row.id}>
            {row.name}
          </option>
        ))}
        <optgroup label={trans.__('Samples')}>
          {SAMPLES.map(sample => (
            <option key={sample} value={sampleId(sample)}>
              {wordsOf(sample)}
            </option>
          ))}
        </optgroup>
      </select>
      {state.versions.length > 0 ? (
        <VersionPicker
          versions={state.versions.map(one => one.version)}
          chosen={shown?.version ?? null}
          onChoose={version => model.chooseVersion(version)}
        />
      ) : null}
    </Field>
  );
}

/** What to predict; a suggestion says why. */
export function TargetField({ model, state }: IPart): JSX.Element {
  const trans = useTrans();
  const id = useId();
  const error = state.errors.target;
  const suggestion = suggestionOf(state);
  const suggested = suggestion?.target === state.target && suggestion.reason;
  const known = targetColumn(state);
  const column = known ?? state.preview?.columns.find(one => one.name === state.target);
  const sample = sampleOf(state.sourceId) !== null;
  const hint = sample
    ? trans.__('The sample brings it.')
    : suggested
      ? trans.__('Suggested: %1', suggestion.reason ?? '')
      : column
        ? trans._n(
            '%3, %2 value.',
            '%3, %2 different values.',
            column.distinct,
            formatCount(column.distinct),
            known?.type ?? column.dtype
          )
        : null;
  return (
    <Field
      id={id}
      label={trans.__('Target')}
      error={error}
      hint={hint}
      below={<Labels model={model} state={state} />}
    >
      <select
        className="jp-pycaret-select"
        {...tied(id, error)}
        value={state.target}
        onChange={event => model.chooseTarget(event.target.value)}
      >
        {sample ? <option value={SAMPLE_TARGET}>{SAMPLE_TARGET}</option> : null}
        {state.target === '' ? <option value="">{trans.__('Choose a column')}</option> : null}
        {columnNames(state).map(name => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
    </Field>
  );
}

/** labels that are drawn before the rest is counted */
const LABELS = 12;

/** How often each label is there, and what was noticed about them. */
function Labels({ model, state }: IPart): JSX.Element | null {
  const trans = useTrans();
  const column = targetColumn(state);
  if (!column || column.top.length === 0 || !isLabelled(state)) {
    return null;
  }
  const merged = state.values.merge_levels === 'true';
  const labels = labelsOf(column.top, merged);
  const drawn = labels.slice(0, LABELS);
  return (
    <div className="jp-pycaret-form__full jp-pycaret-stack">
      <Levels
        label={trans.__('Labels of %1', state.target)}
        levels={drawn}
        more={column.distinct - column.top.length + labels.length - drawn.length}
        total={column.values}
        rows={column.values}
      />
      <Notices model={model} state={state} place="target" />
    </div>
  );
}

/** The two labels of the target; null where it has more, or they are not known. */
export function pairOf(state: IFormState): readonly [ILevelBar, ILevelBar] | null {
  const column = targetColumn(state);
  if (!column || !isLabelled(state) || column.distinct > column.top.length) {
    return null;
  }
  const [first, second, ...others] = labelsOf(column.top, state.values.merge_levels === 'true');
  return first && second && others.length === 0 ? [first, second] : null;
}

/** Labels that are the positive one of two, in any case. */
const POSITIVE = new Set(['yes', 'true', '1', 'positive']);

/** Which label metrics are about, of two. */
export function PositiveField({ model, state }: IPart): JSX.Element | null {
  const trans = useTrans();
  const id = useId();
  const pair = pairOf(state);
  if (pair === null || setupParam(state, 'positive_class') === null) {
    return null;
  }
  const names = pair.map(label => label.name);
  // as the engine chooses where nobody does: the name says so, else the rarer one, else the last
  const equal = pair[0].count === pair[1].count;
  const usual =
    names.find(name => POSITIVE.has(name.toLowerCase())) ??
    (equal ? [...names].sort()[1] : names[1]);
  return (
    <Field
      id={id}
      label={trans.__('Positive class')}
      hint={trans.__('Precision, recall and F1 are about it.')}
    >
      <select
        className="jp-pycaret-select"
        {...tied(id)}
        value={state.values.positive_class ?? ''}
        onChange={event => model.set('positive_class', event.target.value)}
      >
        {names.map(name => (
          <option key={name} value={name === usual ? '' : name}>
            {name}
          </option>
        ))}
      </select>
    </Field>
  );
}

/** What the data look good for: by all rows, or by the first ones as long as these are all that is read. */
function suggestionOf({ profile, preview }: IFormState): ISuggestion | null {
  return profile?.suggestion ?? preview?.suggestion ?? null;
}

export function TaskField({ model, state }: IPart): JSX.Element {
  const trans = useTrans();
  const id = useId();
  const error = state.errors.task;
  const hint =
    suggestionOf(state)?.task === state.task
      ? trans.__('Suggested by the target.')
      : takesTarget(state)
        ? null
        : trans.__('No target: all columns are looked at.');
  return (
    <Field id={id} label={trans.__('Task')} error={error} hint={hint}>
      <select
        className="jp-pycaret-select"
        {...tied(id, error)}
        value={state.task}
        onChange={event => void model.chooseTask(event.target.value)}
      >
        {state.tasks.map(task => (
          <option key={task.id} value={task.id} disabled={!task.is_available}>
            {task.is_available || !task.extra
              ? task.name
              : trans.__('%1 (needs the extra “%2”)', task.name, task.extra)}
          </option>
        ))}
      </select>
    </Field>
  );
}

/** In place of the rest while the engine is asked. */
export function Waiting({ state }: { readonly state: IFormState }): JSX.Element | null {
  const trans = useTrans();
  return state.errors.task ? null : (
    <p className="jp-pycaret-form__wide jp-pycaret-hint" role="status">
      {trans.__('Asking the engine what it offers. The first time takes some seconds.')}
    </p>
  );
}
