import React from 'react';
import { formatCount } from './format';
import { useTrans } from './trans';

/** Which version of a table, the newest first. */
export function VersionPicker({
  versions,
  chosen,
  onChoose
}: {
  readonly versions: ReadonlyArray<number>;
  readonly chosen: number | null;
  readonly onChoose: (version: number) => void;
}): JSX.Element {
  const trans = useTrans();
  return (
    <select
      className="jp-pycaret-select jp-pycaret-select--small jp-pycaret-select--auto"
      aria-label={trans.__('Version')}
      value={chosen ?? ''}
      onChange={event => onChoose(Number(event.target.value))}
    >
      {versions.map((version, index) => (
        <option key={version} value={version}>
          {index === 0 && versions.length > 1
            ? trans.__('Version %1, newest', formatCount(version))
            : trans.__('Version %1', formatCount(version))}
        </option>
      ))}
    </select>
  );
}
