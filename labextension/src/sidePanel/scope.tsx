import React from 'react';
import { Icon } from '../common/icons';
import { useTrans } from '../common/trans';
import { useModel, usePanelState } from './context';

/**
 * Whose rows are shown: workspace and project.
 */
export function Scope(): JSX.Element {
  const trans = useTrans();
  const model = useModel();
  const { workspaces, projects, workspaceId, projectId, lost } = usePanelState();
  return (
    <div className="jp-pycaret-scope">
      <Choice
        name={trans.__('Workspace')}
        rows={workspaces}
        chosen={workspaceId}
        off={lost !== null}
        onChoose={id => model.selectWorkspace(id)}
      />
      <Choice
        name={trans.__('Project')}
        rows={projects}
        chosen={projectId}
        off={lost !== null}
        onChoose={id => model.selectProject(id)}
      />
    </div>
  );
}

function Choice({
  name,
  rows,
  chosen,
  off,
  onChoose
}: {
  readonly name: string;
  readonly rows: ReadonlyArray<{ readonly id: string; readonly name: string }>;
  readonly chosen: string | null;
  readonly off: boolean;
  readonly onChoose: (id: string) => void;
}): JSX.Element {
  return (
    <label className="jp-pycaret-scope__item">
      <span className="jp-pycaret-scope__label">{name}</span>
      <select
        className="jp-pycaret-scope__value jp-pycaret-scope__select jp-pycaret-clip"
        title={rows.find(row => row.id === chosen)?.name}
        value={rows.length > 0 ? (chosen ?? '') : ''}
        disabled={off || rows.length === 0}
        onChange={event => onChoose(event.target.value)}
      >
        {rows.map(row => (
          <option key={row.id} value={row.id}>
            {row.name}
          </option>
        ))}
      </select>
      <Icon name="down" />
    </label>
  );
}
