/**
 * What the engine says that it offers, and what a data source looks like.
 */
import type { Schemas } from './rows';

export type ITask = Schemas['TaskCard'];
export type IModelInfo = Schemas['ModelCard'];
export type IMetric = Schemas['MetricCard'];
export type IParam = Schemas['ParamCard'];
export type IParamSchema = Schemas['ParamSchema'];
export type IPlan = Schemas['PlanCard'];
export type IPlotInfo = Schemas['PlotCard'];

export type IPreview = Schemas['Preview'];
export type IColumn = Schemas['PreviewColumn'];

/** All that a form needs to know about one task. */
export interface IOffer {
  readonly plans: ReadonlyArray<IPlan>;
  readonly models: ReadonlyArray<IModelInfo>;
  readonly metrics: ReadonlyArray<IMetric>;
  readonly setupParams: ReadonlyArray<IParam>;
}
