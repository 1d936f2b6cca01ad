import type {
  IDataSource,
  IDeployment,
  IExperiment,
  IPipeline,
  IProject,
  IRow,
  IRun,
  IWorkspace
} from '../api/rows';

export type RegionId = 'data' | 'runs' | 'models' | 'deployments';

/**
 * What the panel as a whole shows.
 *
 * `live` shows the regions; `loading` their names and skeletons; the others are a title, a sentence
 * and a button.
 */
export type Phase = 'loading' | 'live' | 'missing' | 'signedOut' | 'noWorkspace' | 'unavailable';

/** A list as far as it has been fetched. */
export interface IList<T extends IRow> {
  readonly rows: ReadonlyArray<T>;
  /** whether the server has more than was asked for */
  readonly more: boolean;
  /** whether this server knows the list at all */
  readonly offered: boolean;
}

export interface IUpload {
  readonly id: string;
  readonly filename: string;
  readonly sent: number;
  readonly total: number;
  /** `checking`: all bytes are there, the server has not answered yet */
  readonly step: 'waiting' | 'sending' | 'checking' | 'refused';
  /** why it was refused */
  readonly reason: string | null;
}

export interface ILostConnection {
  /** when the rows on display were read, ms; null where none ever were */
  readonly asOf: number | null;
  /** when it tries again, ms */
  readonly retryAt: number | null;
  /** the server's own words, where it was reached and could not answer */
  readonly reason: string | null;
}

export interface IPanelState {
  readonly phase: Phase;
  /** the server's own words, where the phase is `unavailable` */
  readonly trouble: string | null;
  readonly lost: ILostConnection | null;
  /** an action that did not work, in one sentence */
  readonly notice: string | null;

  readonly workspaces: ReadonlyArray<IWorkspace>;
  readonly projects: ReadonlyArray<IProject>;
  readonly workspaceId: string | null;
  readonly projectId: string | null;
  /** false for a viewer: reads, and has no actions */
  readonly mayWrite: boolean;

  readonly data: IList<IDataSource>;
  readonly runs: IList<IRun>;
  readonly models: IList<IPipeline>;
  readonly deployments: IList<IDeployment>;
  readonly experiments: ReadonlyMap<string, IExperiment>;

  readonly uploads: ReadonlyArray<IUpload>;
  /** runs that were asked to stop and have not ended yet */
  readonly cancelling: ReadonlySet<string>;
  /** rows that have just come: they are lit for a moment */
  readonly fresh: ReadonlySet<string>;
  readonly folded: ReadonlySet<RegionId>;
  /** the run, deployment or data in front in the main area */
  readonly shown: string | null;
  /** server time minus browser time, ms */
  readonly clockOffset: number;
}

export const EMPTY: IList<never> = { rows: [], more: false, offered: true };

export const INITIAL: IPanelState = {
  phase: 'loading',
  trouble: null,
  lost: null,
  notice: null,
  workspaces: [],
  projects: [],
  workspaceId: null,
  projectId: null,
  mayWrite: true,
  data: EMPTY,
  runs: EMPTY,
  models: EMPTY,
  deployments: EMPTY,
  experiments: new Map(),
  uploads: [],
  cancelling: new Set(),
  fresh: new Set(),
  folded: new Set(),
  shown: null,
  clockOffset: 0
};

export { isUnfinished } from '../api/rows';
