import type { IFieldSchema, IInputSchema } from '../api/serving';

export type FieldKind = 'number' | 'integer' | 'boolean' | 'string';

export function kindOf(schema: IFieldSchema): FieldKind {
  const types = ([] as string[]).concat(schema.type ?? []);
  if (types.includes('boolean')) {
    return 'boolean';
  }
  if (types.includes('integer')) {
    return 'integer';
  }
  if (types.includes('number')) {
    return 'number';
  }
  return 'string';
}

/** What a value reads in its field; missing is empty. */
export function textOf(value: unknown): string {
  return value === null || value === undefined ? '' : String(value);
}

export interface IRead {
  readonly row: Readonly<Record<string, unknown>>;
  /** what is wrong, by column */
  readonly errors: Readonly<Record<string, 'number' | 'whole'>>;
}

/**
 * The row that the fields stand for; empty is sent as missing.
 */
export function read(schema: IInputSchema, texts: Readonly<Record<string, string>>): IRead {
  const row: Record<string, unknown> = {};
  const errors: Record<string, 'number' | 'whole'> = {};
  for (const [name, field] of Object.entries(schema.row.properties)) {
    const text = texts[name] ?? '';
    const kind = kindOf(field);
    if (text.trim() === '' && kind !== 'string') {
      row[name] = null;
    } else if (kind === 'boolean') {
      row[name] = text === 'true';
    } else if (kind === 'number' || kind === 'integer') {
      const value = Number(text.trim().replace(',', '.'));
      if (!Number.isFinite(value)) {
        errors[name] = 'number';
      } else if (kind === 'integer' && !Number.isInteger(value)) {
        errors[name] = 'whole';
      } else {
        row[name] = value;
      }
    } else {
      row[name] = text === '' ? null : text;
    }
  }
  return { row, errors };
}

/** A probability; null for an empty text, undefined for what is none. */
export function thresholdOf(text: string): number | null | undefined {
  const trimmed = text.trim().replace(',', '.');
  if (trimmed === '') {
    return null;
  }
  const value = Number(trimmed);
  return value >= 0 && value <= 1 ? value : undefined;
}
