import type { IApiKey, IDeployment } from '../api/rows';

/** The keys that open a deployment: its own, and those of its workspace that may predict. */
export function keysFor(
  deployment: IDeployment,
  keys: ReadonlyArray<IApiKey>
): ReadonlyArray<IApiKey> {
  return keys.filter(
    key =>
      key.workspace_id === deployment.workspace_id &&
      key.revoked_at === null &&
      (key.deployment_id === deployment.id ||
        (key.deployment_id === null &&
          key.scopes.some(scope => scope === 'predict' || scope === 'write')))
  );
}

/** A name for a new key that no key on display has. */
export function freeKeyName(slug: string, keys: ReadonlyArray<IApiKey>): string {
  const taken = new Set(keys.map(key => key.name));
  const name = `${slug.slice(0, 100)} key`;
  let free = name;
  for (let n = 2; taken.has(free); n += 1) {
    free = `${name} ${n}`;
  }
  return free;
}
