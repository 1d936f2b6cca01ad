import {
  type ILeaderboardRow,
  type IProgress,
  type IRunDetail,
  type IRunEvent,
  isUnfinished,
  type RunStatus
} from '../api/rows';
import { greaterIsBetter, type IRunState, metricsOf, sorted } from './state';

const ENDS: Readonly<Record<string, RunStatus>> = {
  'run.succeeded': 'succeeded',
  'run.failed': 'failed',
  'run.cancelled': 'cancelled'
};

/**
 * The state after some more events. Pure: what it is given stays as it is.
 */
export function after(state: IRunState, events: ReadonlyArray<IRunEvent>): IRunState {
  const next = events.reduce(step, { ...state, events: [...state.events, ...events] });
  return { ...next, rows: ranked(next) };
}

/** Best first, as the run's own metric has it. */
export function ranked(state: IRunState): ReadonlyArray<ILeaderboardRow> {
  const metric = state.metric ?? metricsOf(state.rows, null)[0];
  return metric === undefined
    ? state.rows
    : sorted(state.rows, metric, greaterIsBetter(state, metric));
}

function step(state: IRunState, event: IRunEvent): IRunState {
  const { kind, payload } = event;
  const end = ENDS[kind];
  if (end) {
    return { ...withRun(state, ended(state.run, end, event)), fitting: [], cancelling: false };
  }
  switch (kind) {
    case 'run.started':
      return withRun(state, {
        status: 'running',
        started_at: event.timestamp,
        attempt: event.attempt ?? state.run?.attempt
      });
    case 'run.requeued':
      // the next attempt tries all models again
      return {
        ...withRun(state, { status: 'queued', started_at: null }),
        fitting: [],
        failed: []
      };
    case 'run.cancel_requested':
      return {
        ...withRun(state, { cancel_requested_at: event.timestamp }),
        cancelling: state.run !== null && isUnfinished(state.run)
      };
    case 'data.changed':
      return state.changes.includes(event.message)
        ? state
        : { ...state, changes: [...state.changes, event.message] };
    case 'model.compare.started':
      return {
        ...state,
        candidates: strings(payload.candidates),
        metric: state.metric ?? (typeof payload.sort === 'string' ? payload.sort : null)
      };
    case 'run.progress':
      return progressed(state, payload);
    case 'model.scored': {
      const row = payload as unknown as ILeaderboardRow;
      return {
        ...state,
        rows: [...state.rows.filter(other => other.model_id !== row.model_id), row],
        names: { ...state.names, [row.model_id]: row.name },
        fitting: state.fitting.filter(one => one.model_id !== row.model_id)
      };
    }
    case 'model.failed': {
      const id = String(payload.model_id);
      const name = String(payload.name ?? state.names[id] ?? id);
      const error = String(payload.error ?? event.message);
      return {
        ...state,
        failed: [...state.failed.filter(one => one.model_id !== id), { model_id: id, name, error }],
        fitting: state.fitting.filter(one => one.model_id !== id)
      };
    }
    default:
      return state;
  }
}

/** What the last event says of the row; the row itself is read after it. */
function ended(
  run: IRunDetail | null,
  status: RunStatus,
  { timestamp, payload }: IRunEvent
): Partial<IRunDetail> {
  const { error, error_kind: kind } = payload;
  const took = run?.started_at ? Date.parse(timestamp) - Date.parse(run.started_at) : null;
  return {
    status,
    finished_at: timestamp,
    duration_ms: run?.duration_ms ?? took,
    ...(typeof error === 'string' ? { error } : {}),
    ...(typeof kind === 'string' ? { error_kind: kind } : {})
  };
}

function progressed(state: IRunState, payload: IRunEvent['payload']): IRunState {
  const { done, total, label, model_id: id, fold, folds, stage } = payload;
  const progress: IProgress = {
    done: Number(done),
    total: Number(total),
    label: String(label ?? '')
  };
  const now = withRun(state, { progress });
  // the final fit of a model is no scoring
  if (typeof id !== 'string' || stage === 'final') {
    return now;
  }
  const number = (value: unknown) => (typeof value === 'number' ? value : null);
  const known = now.fitting.find(one => one.model_id === id);
  const fitting = {
    model_id: id,
    name: known?.name ?? progress.label,
    fold: number(fold),
    folds: number(folds)
  };
  return {
    ...now,
    names: { ...now.names, [id]: fitting.name },
    fitting: known
      ? now.fitting.map(one => (one.model_id === id ? fitting : one))
      : [...now.fitting, fitting]
  };
}

function withRun(state: IRunState, patch: Partial<IRunDetail>): IRunState {
  return state.run ? { ...state, run: { ...state.run, ...patch } } : state;
}

function strings(value: unknown): ReadonlyArray<string> {
  return Array.isArray(value) ? value.filter(one => typeof one === 'string') : [];
}
