import { urlOf } from './request';
import type { IDeployment, IMadeApiKey, INewApiKey, IPipeline, Schemas } from './rows';
import { Transport } from './transport';

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
  pipeline(id: string): Promise<IPipeline>;
  deploy(pipelineId: string, slug: string, access: Access): Promise<IDeployment>;
  deployment(id: string): Promise<IDeployment>;
  patch(id: string, change: Schemas['DeploymentPatch']): Promise<IDeployment>;
  schema(slug: string): Promise<IInputSchema>;
  predict(slug: string, row: object, proba: boolean): Promise<IAnswer>;
  createKey(key: INewApiKey): Promise<IMadeApiKey>;
  /** the address that a program calls */
  address(slug: string, proba: boolean): string;
}

export class ServingApi extends Transport implements IServingApi {
  pipeline(id: string): Promise<IPipeline> {
    return this.get<IPipeline>(`pipelines/${id}`);
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

  createKey(key: INewApiKey): Promise<IMadeApiKey> {
    return this.send<IMadeApiKey>('POST', 'api-keys', key);
  }

  address(slug: string, proba: boolean): string {
    const url = urlOf(this.settings, `deployments/${slug}/predict`, proba ? { proba: 'true' } : {});
    return new URL(url, window.location.href).href;
  }
}
