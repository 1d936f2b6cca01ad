import type { IOpsApi } from '../api/client';
import { ResponseError } from '../api/errors';
import type { IExperiment, IPage, IProject, IRow, IRun } from '../api/rows';
import { EMPTY, type IList, type IPanelState, type RegionId } from './state';

/** workspaces and projects change seldom, ms */
const SCOPE_AGE = 30000;
/** rows asked for at first, and with each `Show more` */
export const PAGE = 100;
const MOST = 1000;

export type IScope = Pick<
  IPanelState,
  'workspaces' | 'projects' | 'workspaceId' | 'projectId' | 'mayWrite'
>;

export type ILists = Pick<IPanelState, 'data' | 'runs' | 'models' | 'deployments'>;

export interface IRead {
  readonly scope: IScope;
  readonly lists: ILists;
  readonly experiments: ReadonlyMap<string, IExperiment>;
}

export const NO_LISTS: ILists = { data: EMPTY, runs: EMPTY, models: EMPTY, deployments: EMPTY };

const FIRST_LIMITS: Readonly<Record<RegionId, number>> = {
  data: PAGE,
  runs: PAGE,
  models: PAGE,
  deployments: PAGE
};

/**
 * Reads what the side panel shows. What changes seldom is asked for seldom.
 */
export class PanelReader {
  constructor(
    private readonly _api: IOpsApi,
    private readonly _clock: () => number
  ) {}

  /** Fetch more rows of a list than it has, from the next read on. */
  askForMore(region: RegionId): void {
    this._limits[region] = Math.min(MOST, this._limits[region] + PAGE);
  }

  /** Another workspace or project is looked at: nothing of the last one holds. */
  beginAnew(): void {
    this._scopeReadAt = -Infinity;
    this._limits = { ...FIRST_LIMITS };
  }

  /** Everything that is on display, of the scope that was chosen. */
  async read(state: IPanelState): Promise<IRead> {
    const scope = await this._readScope(state);
    const { workspaceId, projectId } = scope;
    if (workspaceId === null) {
      return { scope, lists: NO_LISTS, experiments: state.experiments };
    }
    const api = this._api;
    const limits = this._limits;
    const [data, runs, models, deployments] = await Promise.all([
      listOf(api.dataSources(workspaceId, limits.data)),
      listOf(api.runs(workspaceId, projectId, limits.runs)),
      listOf(api.pipelines(workspaceId, limits.models)),
      listOf(api.deployments(workspaceId, limits.deployments))
    ]);
    if (![data, runs, models, deployments].every(list => list.offered)) {
      // Or the workspace is gone: look soon.
      this._scopeReadAt = -Infinity;
    }
    const experiments = await this._readExperiments(state.experiments, runs.rows);
    return { scope, lists: { data, runs, models, deployments }, experiments };
  }

  private async _readScope(state: IPanelState): Promise<IScope> {
    const { workspaces, projects, workspaceId, projectId, mayWrite } = state;
    if (workspaces.length > 0 && projects.length > 0) {
      if (this._clock() - this._scopeReadAt < SCOPE_AGE) {
        return { workspaces, projects, workspaceId, projectId, mayWrite };
      }
    }
    const all = (await this._api.workspaces()).rows;
    const workspace = all.find(row => row.id === workspaceId) ?? all[0];
    if (!workspace) {
      return { workspaces: all, projects: [], workspaceId: null, projectId: null, mayWrite: true };
    }
    const [own, may] = await Promise.all([
      listOf<IProject>(this._api.projects(workspace.id)),
      this._api.mayWriteIn(workspace.id)
    ]);
    this._scopeReadAt = this._clock();
    const project = own.rows.find(row => row.id === projectId) ?? own.rows[0];
    return {
      workspaces: all,
      projects: own.rows,
      workspaceId: workspace.id,
      projectId: project?.id ?? null,
      mayWrite: may
    };
  }

  /** Runs name their experiment by id; ask for names that are not known, once. */
  private async _readExperiments(
    known: ReadonlyMap<string, IExperiment>,
    runs: ReadonlyArray<IRun>
  ): Promise<ReadonlyMap<string, IExperiment>> {
    const wanted = runs.flatMap(({ experiment_id: id, project_id }) =>
      id === null || known.has(id) || this._asked.has(id) ? [] : [{ id, project_id }]
    );
    if (wanted.length === 0) {
      return known;
    }
    const projects = [...new Set(wanted.map(run => run.project_id))];
    const pages = await Promise.all(projects.map(id => listOf(this._api.experiments(id))));
    wanted.forEach(({ id }) => this._asked.add(id));
    return new Map([
      ...known,
      ...pages.flatMap(page => page.rows).map((row): [string, IExperiment] => [row.id, row])
    ]);
  }

  private readonly _asked = new Set<string>();
  private _limits: Record<RegionId, number> = { ...FIRST_LIMITS };
  private _scopeReadAt = -Infinity;
}

/** A list that this server does not know is empty, and says so: the others still show. */
async function listOf<T extends IRow>(asked: Promise<IPage<T>>): Promise<IList<T>> {
  try {
    return { ...(await asked), offered: true };
  } catch (error) {
    if (error instanceof ResponseError && error.status === 404) {
      return { rows: [], more: false, offered: false };
    }
    throw error;
  }
}
