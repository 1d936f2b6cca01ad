import React from 'react';

export interface ITab {
  readonly id: string;
  readonly name: string;
}

export interface ITabsProps {
  readonly label: string;
  readonly tabs: ReadonlyArray<ITab>;
  readonly chosen: string | null;
  readonly onChoose: (id: string) => void;
  /** id of what the tabs change */
  readonly controls: string;
  readonly inline?: boolean;
}

/**
 * Tabs by arrow keys, with one stop.
 */
export function Tabs({ label, tabs, chosen, onChoose, controls, inline }: ITabsProps): JSX.Element {
  const move = (event: React.KeyboardEvent<HTMLDivElement>): void => {
    const here = tabs.findIndex(tab => tab.id === chosen);
    const to = {
      ArrowRight: here + 1,
      ArrowLeft: here - 1,
      Home: 0,
      End: tabs.length - 1
    }[event.key];
    const tab = to === undefined ? undefined : tabs[(to + tabs.length) % tabs.length];
    if (tab) {
      event.preventDefault();
      onChoose(tab.id);
      event.currentTarget.querySelector<HTMLElement>(`[data-tab="${tab.id}"]`)?.focus();
    }
  };
  return (
    // the tabs in it take the focus; keys bubble up from them
    // eslint-disable-next-line jsx-a11y/interactive-supports-focus
    <div
      className={`jp-pycaret-tabs${inline ? ' jp-pycaret-tabs--inline' : ''}`}
      role="tablist"
      aria-label={label}
      onKeyDown={move}
    >
      {tabs.map((tab, index) => {
        const selected = tab.id === chosen;
        return (
          <button
            key={tab.id}
            type="button"
            className="jp-pycaret-tabs__tab"
            role="tab"
            data-tab={tab.id}
            aria-selected={selected}
            aria-controls={selected ? controls : undefined}
            tabIndex={selected || (chosen === null && index === 0) ? 0 : -1}
            onClick={() => onChoose(tab.id)}
          >
            {tab.name}
          </button>
        );
      })}
    </div>
  );
}
