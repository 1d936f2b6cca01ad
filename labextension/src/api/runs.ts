import { URLExt } from '@jupyterlab/coreutils';
import type { IMetric, IModelInfo, IPlotInfo } from './engine';
import { PREFIX } from './request';
import {
  type IDataSource,
  type IExperiment,
  type IPage,
  type IPipeline,
  type IRun,
  type IRunDetail,
  type IRunEvent,
  type IRunPlot,
  isUnfinished,
  type RunStatus
} from './rows';
import { MOST, Transport } from './transport';

/** What is stored of a run's events after one of them. */
export interface IEventPage {
  readonly events: ReadonlyArray<IRunEvent>;
  /** how the run has ended; null while it has not, and more events may come */
  readonly status: RunStatus | null;
}

/** What follows a run's events asks. */
export interface IEventApi {
  run(id: string): Promise<IRunDetail>;
  /** all stored events after a `seq`, where no WebSocket brings them */
  events(id: string, afterSeq: number): Promise<IEventPage>;
  /** opens the stream of events after a `seq` */
  stream(id: string, afterSeq: number): WebSocket;
}

/**
 * What a view of one run asks.
 */
export interface IRunApi extends IEventApi {
  readonly clockOffset: number;
  mayWriteIn(workspaceId: string): Promise<boolean>;
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
  keep(id: string, modelId: string): Promise<IRunDetail>;
  promote(id: string, name: string, modelId: string | null): Promise<IPipeline>;
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

  keep(id: string, modelId: string): Promise<IRunDetail> {
    const path = `runs/${id}/models/${encodeURIComponent(modelId)}/keep`;
    return this.send<IRunDetail>('POST', path);
  }

  promote(id: string, name: string, modelId: string | null): Promise<IPipeline> {
    return this.send<IPipeline>('POST', `runs/${id}/promote`, { name, model_id: modelId });
  }

  async events(id: string, afterSeq: number): Promise<IEventPage> {
    // The row first: what happened before it was read stands in the events that are read after it.
    const { status } = await this.run(id);
    const events: IRunEvent[] = [];
    for (let seq = afterSeq, more = true; more; seq = events[events.length - 1]?.seq ?? seq) {
      const page = await this.get<ReadonlyArray<IRunEvent>>(`runs/${id}/events`, {
        after_seq: seq,
        limit: MOST
      });
      events.push(...page);
      more = page.length === MOST;
    }
    return { events, status: isUnfinished({ status }) ? null : status };
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
