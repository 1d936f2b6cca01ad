import { URLExt } from '@jupyterlab/coreutils';
import type { IMetric, IModelInfo, IPlotInfo } from './engine';
import { PREFIX } from './request';
import type {
  IDataSource,
  IExperiment,
  IPage,
  IPipeline,
  IRun,
  IRunDetail,
  IRunPlot
} from './rows';
import { MOST, Transport } from './transport';

/**
 * What a view of one run asks.
 */
export interface IRunApi {
  readonly clockOffset: number;
  mayWriteIn(workspaceId: string): Promise<boolean>;
  run(id: string): Promise<IRunDetail>;
  experiment(id: string): Promise<IExperiment>;
  source(id: string): Promise<IDataSource>;
  metrics(task: string): Promise<ReadonlyArray<IMetric>>;
  models(task: string): Promise<ReadonlyArray<IModelInfo>>;
  cancel(id: string): Promise<IRun>;
  plots(id: string): Promise<ReadonlyArray<IRunPlot>>;
  plotNames(task: string): Promise<ReadonlyArray<IPlotInfo>>;
  plot(id: string, plotId: string): Promise<unknown>;
  notebook(id: string): Promise<unknown>;
  pipelines(workspaceId: string): Promise<IPage<IPipeline>>;
  promote(id: string, name: string): Promise<IPipeline>;
  /** opens the stream of events after a `seq` */
  stream(id: string, afterSeq: number): WebSocket;
}

export class RunApi extends Transport implements IRunApi {
  run(id: string): Promise<IRunDetail> {
    return this.get<IRunDetail>(`runs/${id}`);
  }

  experiment(id: string): Promise<IExperiment> {
    return this.get<IExperiment>(`experiments/${id}`);
  }

  source(id: string): Promise<IDataSource> {
    return this.get<IDataSource>(`data-sources/${id}`);
  }

  metrics(task: string): Promise<ReadonlyArray<IMetric>> {
    return this.get<ReadonlyArray<IMetric>>('describe/metrics', { task });
  }

  models(task: string): Promise<ReadonlyArray<IModelInfo>> {
    return this.get<ReadonlyArray<IModelInfo>>('describe/models', { task });
  }

  cancel(id: string): Promise<IRun> {
    return this.send<IRun>('POST', `runs/${id}/cancel`);
  }

  plots(id: string): Promise<ReadonlyArray<IRunPlot>> {
    return this.get<ReadonlyArray<IRunPlot>>(`runs/${id}/plots`);
  }

  plotNames(task: string): Promise<ReadonlyArray<IPlotInfo>> {
    return this.get<ReadonlyArray<IPlotInfo>>('describe/plots', { task });
  }

  plot(id: string, plotId: string): Promise<unknown> {
    return this.get(`runs/${id}/plots/${plotId}`);
  }

  notebook(id: string): Promise<unknown> {
    return this.get(`runs/${id}/notebook`);
  }

  pipelines(workspaceId: string): Promise<IPage<IPipeline>> {
    return this.list<IPipeline>(`workspaces/${workspaceId}/pipelines`, MOST);
  }

  promote(id: string, name: string): Promise<IPipeline> {
    return this.send<IPipeline>('POST', `runs/${id}/promote`, { name });
  }

  stream(id: string, afterSeq: number): WebSocket {
    const { wsUrl, token, appendToken, WebSocket: Socket } = this.settings;
    const query = new URLSearchParams({ after_seq: String(afterSeq), no_track_activity: '1' });
    if (appendToken && token !== '') {
      query.set('token', token);
    }
    return new Socket(`${URLExt.join(wsUrl, PREFIX, `runs/${id}/events/ws`)}?${query.toString()}`);
  }
}
