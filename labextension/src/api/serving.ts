import { urlOf } from './request';
import type {
  IApiKey,
  IDeployment,
  IMadeApiKey,
  INewApiKey,
  IPage,
  IPipeline,
  IRunDetail,
  Schemas
} from './rows';
import { MOST, Transport } from './transport';

export type IFieldSchema = Schemas['FieldSchema'];
/** What rows a deployment takes, and one that it predicts. */
export type IInputSchema = Schemas['DeploymentSchema'];
export type IPrediction = Schemas['Prediction'];
export type IAnswer = Schemas['PredictOut'];

export type Access = IDeployment['auth_mode'];

/**
 * What a view of one deployment, and the way to it, ask.
 */
export interface IServingApi {
  /** Server time minus browser time, in ms, from the last answer. */
  readonly clockOffset: number;

  mayWriteIn(workspaceId: string): Promise<boolean>;
  pipeline(id: string): Promise<IPipeline>;
  pipelines(workspaceId: string): Promise<IPage<IPipeline>>;
  run(id: string): Promise<IRunDetail>;
  deploy(pipelineId: string, slug: string, access: Access): Promise<IDeployment>;
  deployment(id: string): Promise<IDeployment>;
  patch(id: string, change: Schemas['DeploymentPatch']): Promise<IDeployment>;
  schema(slug: string): Promise<IInputSchema>;
  predict(slug: string, row: object, proba: boolean): Promise<IAnswer>;
  /** the user's own keys, and all of the workspaces that they administer */
  keys(): Promise<IPage<IApiKey>>;
  createKey(key: INewApiKey): Promise<IMadeApiKey>;
  revokeKey(id: string): Promise<void>;
  /** the address that a program calls */
  address(slug: string, proba: boolean): string;
}

export class ServingApi extends Transport implements IServingApi {
  pipeline(id: string): Promise<IPipeline> {
    return this.get<IPipeline>(`pipelines/${id}`);
  }

  pipelines(workspaceId: string): Promise<IPage<IPipeline>> {
    return this.list<IPipeline>(`workspaces/${workspaceId}/pipelines`, MOST);
  }

  run(id: string): Promise<IRunDetail> {
    return this.get<IRunDetail>(`runs/${id}`);
  }

  deploy(pipelineId: string, slug: string, access: Access): Promise<IDeployment> {
    return this.send<IDeployment>('POST', `pipelines/${pipelineId}/deployments`, {
      endpoint_slug: slug,
      auth_mode: access
    });
  }

  deployment(id: string): Promise<IDeployment> {
    return this.get<IDeployment>(`deployments/${id}`);
  }

  patch(id: string, change: Schemas['DeploymentPatch']): Promise<IDeployment> {
    return this.send<IDeployment>('PATCH', `deployments/${id}`, change);
  }

  schema(slug: string): Promise<IInputSchema> {
    return this.get<IInputSchema>(`deployments/${slug}/schema`);
  }

  predict(slug: string, row: object, proba: boolean): Promise<IAnswer> {
    const path = `deployments/${slug}/predict${proba ? '?proba=true' : ''}`;
    return this.send<IAnswer>('POST', path, { rows: [row] });
  }

  keys(): Promise<IPage<IApiKey>> {
    return this.list<IApiKey>('api-keys', MOST);
  }

  createKey(key: INewApiKey): Promise<IMadeApiKey> {
    return this.send<IMadeApiKey>('POST', 'api-keys', key);
  }

  async revokeKey(id: string): Promise<void> {
    await this.send('DELETE', `api-keys/${id}`);
  }

  address(slug: string, proba: boolean): string {
    const url = urlOf(this.settings, `deployments/${slug}/predict`, proba ? { proba: 'true' } : {});
    return new URL(url, window.location.href).href;
  }
}
