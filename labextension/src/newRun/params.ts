import type { IParam, IPlan } from '../api/engine';

/** How a parameter is asked for. */
export type ParamKind =
  'flag' | 'choice' | 'metric' | 'column' | 'source' | 'number' | 'list' | 'json' | 'text';

/** The parameters that say which metric counts. */
const METRICS = new Set(['sort', 'optimize']);
/** Parameters that name one column. */
const COLUMNS = new Set(['index', 'fold_groups', 'fold_time', 'fold_column', 'sample_weight']);
/** The parameter that names a table to hold out. */
export const HOLDOUT = 'test_data_source_id';
/** Parameters that have a field of their own in the form. */
const OWN_FIELD = new Set(['include', 'exclude', 'fold', 'time_limit', 'index', 'horizon']);
/** Parameters that the picker of columns stands for, where the columns are known. */
export const PICKED = ['column_types', 'ignore_features', 'keep_features'] as const;
/** Another name for `horizon`. */
const TWIN = 'fh';

export function kindOf(param: IParam): ParamKind {
  const { schema, name } = param;
  const types = typeof schema.type === 'string' ? [schema.type] : (schema.type ?? []);
  if (schema.enum) {
    return 'choice';
  }
  if (types.includes('boolean')) {
    return 'flag';
  }
  if (types.includes('array')) {
    return schema.items?.type === 'string' ? 'list' : 'json';
  }
  if (types.includes('object')) {
    return 'json';
  }
  if (types.includes('number') || types.includes('integer')) {
    return 'number';
  }
  if (name === HOLDOUT) {
    return 'source';
  }
  return METRICS.has(name) ? 'metric' : COLUMNS.has(name) ? 'column' : 'text';
}

/** The parameter that ranks, if the plan has one. */
export function rankingParam(plan: IPlan | null): IParam | null {
  return plan?.params.find(param => METRICS.has(param.name)) ?? null;
}

/** The parameters that have no field of their own, nor one of `others`. */
export function advancedOf(
  params: ReadonlyArray<IParam>,
  others: ReadonlyArray<string> = []
): ReadonlyArray<IParam> {
  const twin = params.some(param => param.name === 'horizon');
  return params.filter(
    param =>
      !OWN_FIELD.has(param.name) &&
      !others.includes(param.name) &&
      !METRICS.has(param.name) &&
      !(twin && param.name === TWIN)
  );
}

/** What a value reads in its field. */
export function textOf(value: unknown): string {
  if (value === null || value === undefined) {
    return '';
  }
  if (Array.isArray(value) && value.every(one => typeof one === 'string')) {
    return value.join(', ');
  }
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

export type Parsed =
  | { readonly value: unknown; readonly fault?: undefined }
  | { readonly value?: undefined; readonly fault: 'number' | 'whole' | 'json' };

/**
 * The value that a field's text stands for; undefined where it is empty.
 */
export function parse(param: IParam, text: string): Parsed {
  const kind = kindOf(param);
  if (kind === 'flag') {
    return { value: text === 'true' };
  }
  const trimmed = text.trim();
  if (trimmed === '') {
    return { value: undefined };
  }
  if (kind === 'number') {
    const value = Number(trimmed.replace(',', '.'));
    if (!Number.isFinite(value)) {
      return { fault: 'number' };
    }
    const types = ([] as string[]).concat(param.schema.type ?? []);
    return types.includes('integer') && !Number.isInteger(value) ? { fault: 'whole' } : { value };
  }
  if (kind === 'list') {
    return {
      value: trimmed
        .split(',')
        .map(one => one.trim())
        .filter(Boolean)
    };
  }
  if (kind === 'json') {
    try {
      return { value: JSON.parse(trimmed) as unknown };
    } catch {
      // a plain word needs no quotation marks where a text is taken as well
      const types = ([] as string[]).concat(param.schema.type ?? []);
      return types.includes('string') && /^[\w. -]+$/.test(trimmed)
        ? { value: trimmed }
        : { fault: 'json' };
    }
  }
  return { value: trimmed };
}
