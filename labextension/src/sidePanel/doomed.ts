import { runTitle } from '../api/rows';
import { type IPanelState, isUnfinished, type RegionId } from './state';

/** A row that can go. */
export interface IDoomed {
  readonly region: RegionId;
  readonly id: string;
  /** what people call it */
  readonly title: string;
  /** whether only the way to the data goes, and not the data */
  readonly isConnection: boolean;
}

/**
 * The row with that id, where it can be deleted now; null for one that is under way, or nobody's to delete.
 */
export function doomedOf(state: IPanelState, id: string): IDoomed | null {
  const { data, runs, models, deployments, experiments, mayWrite, lost } = state;
  if (!mayWrite || lost !== null) {
    return null;
  }
  const found = (region: RegionId, title: string, isConnection = false): IDoomed => ({
    region,
    id,
    title,
    isConnection
  });
  const source = data.rows.find(row => row.id === id);
  if (source) {
    return found('data', source.name, source.kind === 's3' || source.kind === 'postgres');
  }
  const run = runs.rows.find(row => row.id === id);
  if (run) {
    const { title, small } = runTitle(run, experiments);
    return isUnfinished(run) ? null : found('runs', [title, small].filter(Boolean).join(' '));
  }
  const model = models.rows.find(row => row.id === id);
  if (model) {
    return found('models', `${model.name} v${model.version}`);
  }
  const deployment = deployments.rows.find(row => row.id === id);
  return deployment ? found('deployments', deployment.endpoint_slug) : null;
}
