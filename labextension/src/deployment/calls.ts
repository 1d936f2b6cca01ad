import type { Access } from '../api/serving';

export interface ICall {
  readonly slug: string;
  readonly url: string;
  readonly row: Readonly<Record<string, unknown>>;
  readonly access: Access;
  /** what opens it; null where only its owner has it */
  readonly secret: string | null;
  /** whether the answer has a probability for each label */
  readonly proba: boolean;
}

/** The variable that holds what opens a deployment. */
export function variableOf(access: Access): string | null {
  return access === 'public' ? null : access === 'api-key' ? 'PYCARET_KEY' : 'JUPYTER_TOKEN';
}

function schemeOf(access: Access): string {
  return access === 'api-key' ? 'Bearer' : 'token';
}

/** A word for a POSIX shell, whatever is in it. */
export function quoted(text: string): string {
  return `'${text.replace(/'/g, "'\\''")}'`;
}

/**
 * The call as a line for a shell.
 */
export function curlOf({ url, row, access, secret }: Omit<ICall, 'slug' | 'proba'>): string {
  const variable = variableOf(access);
  const lines = [`curl -X POST ${quoted(url)}`];
  if (variable !== null) {
    const header = `Authorization: ${schemeOf(access)} `;
    lines.push(secret === null ? `-H "${header}$${variable}"` : `-H ${quoted(header + secret)}`);
  }
  lines.push(`-H 'Content-Type: application/json'`);
  lines.push(`-d ${quoted(JSON.stringify({ rows: [row] }))}`);
  return lines.join(' \\\n  ');
}

/**
 * The call in Python. In a notebook of this server the client finds server and credential by itself.
 */
export function pythonOf({ slug, row, proba }: Pick<ICall, 'slug' | 'row' | 'proba'>): string {
  return [
    'from jupyter_pycaret_ops import Client',
    '',
    'client = Client()',
    'answer = client.deployments.predict(',
    `    ${pythonValue(slug)},`,
    `    [${pythonValue(row)}],`,
    ...(proba ? ['    proba=True,'] : []),
    ')',
    'answer["predictions"]'
  ].join('\n');
}

/**
 * The call in a notebook of this server, for all rows of a frame.
 */
export function magicOf(slug: string): string {
  return ['%load_ext jupyter_pycaret_ops', `%pcrun predict ${slug} --data df`].join('\n');
}

function pythonValue(value: unknown): string {
  if (value === null || value === undefined) {
    return 'None';
  }
  if (typeof value === 'boolean') {
    return value ? 'True' : 'False';
  }
  if (Array.isArray(value)) {
    return `[${value.map(pythonValue).join(', ')}]`;
  }
  if (typeof value === 'object') {
    const pairs = Object.entries(value).map(
      ([key, one]) => `${JSON.stringify(key)}: ${pythonValue(one)}`
    );
    return `{${pairs.join(', ')}}`;
  }
  return JSON.stringify(value);
}
