import { formatScore } from '../common/format';

/** A version of a pipeline, as a list of versions shows it. */
export interface IVersion {
  readonly id: string;
  readonly version: number;
  /** name of the model */
  readonly model: string;
  /** the metric that ordered its run, null where none did */
  readonly metric: string | null;
  readonly value: number | null;
}

/** `v2 · Decision Tree · Accuracy 0.7730 (v1: 0.8171)`: with the value of `other` to compare with. */
export function versionText(one: IVersion, other?: IVersion): string {
  const parts = [`v${one.version}`, one.model];
  if (one.metric !== null && one.value !== null) {
    const comparable = other !== undefined && other.metric === one.metric && other.value !== null;
    const compared = comparable ? ` (v${other.version}: ${formatScore(other.value)})` : '';
    parts.push(`${one.metric} ${formatScore(one.value)}${compared}`);
  }
  return parts.join(' · ');
}
