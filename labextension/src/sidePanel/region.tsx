import React, { useEffect, useState } from 'react';
import type { IRow } from '../api/rows';
import { formatCount } from '../common/format';
import { Icon } from '../common/icons';
import { SearchField } from '../common/search';
import { useTrans } from '../common/trans';
import { useAfter } from '../common/useNow';
import { useModel, usePanelState } from './context';
import { RowList } from './row';
import type { IList, RegionId } from './state';

/** rows drawn at first, and with each `Show more` after that */
const FIRST = 12;
const STEP = 50;

export interface IRegionProps<T extends IRow> {
  readonly region: RegionId;
  readonly name: string;
  readonly list: IList<T>;
  /** what stands right in the head, in place of the number of rows */
  readonly count?: string | null;
  /** what the region shows without rows */
  readonly empty: React.ReactNode;
  /** rows above those of the server */
  readonly before?: ReadonlyArray<{ readonly id: string; readonly row: React.ReactNode }>;
  readonly row: (row: T) => React.ReactNode;
  /** what a search looks at */
  readonly words: (row: T) => string;
}

/**
 * A named region of the panel: it folds, and draws long lists piece by piece.
 */
export function Region<T extends IRow>(props: IRegionProps<T>): JSX.Element {
  const { region, name, list, count, empty, before = [], row, words } = props;
  const trans = useTrans();
  const model = useModel();
  const { folded, phase, lost, workspaceId, projectId } = usePanelState();
  const [drawn, setDrawn] = useState(FIRST);
  const [wanted, setWanted] = useState('');
  const open = !folded.has(region);
  useEffect(() => {
    setWanted('');
    setDrawn(FIRST);
  }, [workspaceId, projectId]);

  const found = list.rows.filter(one => fits(words(one), wanted));
  const shown = found.slice(0, drawn);
  const all = `${formatCount(list.rows.length)}${list.more ? '+' : ''}`;
  const number = list.rows.length > 0 || list.more ? all : null;
  const hidden = found.length - shown.length;
  const searches = wanted.trim() !== '' && list.rows.length > 0;
  const told = searches ? trans.__('%1 of %2', formatCount(found.length), all) : count;
  // A list that was long may have become short: what narrows it stays in sight.
  const long = searches || list.rows.length > FIRST;

  const more = (): void => {
    if (hidden < STEP && list.more) {
      model.showMore(region);
    }
    setDrawn(drawn + STEP);
  };

  return (
    <section className="jp-pycaret-section" aria-label={name}>
      <details open={open}>
        {/* a summary answers to Enter and Space with a click */}
        {}
        <summary
          className="jp-pycaret-section__head"
          onClick={event => {
            event.preventDefault();
            model.toggleRegion(region);
          }}
        >
          <Icon name={open ? 'down' : 'right'} />
          <h2 className="jp-pycaret-section__name">{name}</h2>
          {phase === 'live' && (told ?? number) !== null ? (
            <span className="jp-pycaret-section__count">{told ?? number}</span>
          ) : null}
        </summary>
        {phase === 'loading' ? (
          lost === null && <Skeletons />
        ) : !list.offered ? (
          <Hint>
            {trans.__('This server does not know this list yet. Bring its server part up to date.')}
          </Hint>
        ) : before.length + list.rows.length === 0 ? (
          empty
        ) : (
          <>
            {long ? (
              <SearchField
                label={trans.__('Search in %1', name)}
                placeholder={trans.__('Search')}
                wanted={wanted}
                onChange={setWanted}
              />
            ) : null}
            {before.length + found.length > 0 ? (
              <RowList
                rows={[
                  ...before.map(one => ({ id: one.id, draw: () => one.row })),
                  ...shown.map(one => ({ id: one.id, draw: () => row(one) }))
                ]}
              />
            ) : (
              <Hint>{trans.__('Nothing here has “%1” in its name.', wanted.trim())}</Hint>
            )}
            {hidden > 0 || list.more ? (
              <div className="jp-pycaret-section__more">
                <button
                  type="button"
                  className="jp-pycaret-button jp-pycaret-button--ghost jp-pycaret-button--small"
                  onClick={more}
                >
                  {trans.__('Show more')}
                </button>
                <span className="jp-pycaret-muted">
                  {trans.__(
                    '%1 of %2',
                    formatCount(shown.length),
                    searches ? formatCount(found.length) : all
                  )}
                </span>
              </div>
            ) : null}
          </>
        )}
      </details>
    </section>
  );
}

/** Each word of the search, anywhere. */
function fits(words: string, wanted: string): boolean {
  const text = words.toLowerCase();
  return wanted
    .toLowerCase()
    .split(/\s+/)
    .every(word => text.includes(word));
}

/**
 * What will be in an empty region, and how.
 */
export function Hint({ children }: { readonly children: React.ReactNode }): JSX.Element {
  return <p className="jp-pycaret-section__hint">{children}</p>;
}

/** Nothing for 300 ms, then shapes of rows. */
function Skeletons(): JSX.Element | null {
  const late = useAfter(300);
  return late ? (
    <div aria-hidden="true">
      {[
        [120, 168],
        [96, 140]
      ].map(([title, line]) => (
        <div key={title} className="jp-pycaret-skeleton">
          <i />
          <i style={{ width: title }} />
          <i style={{ width: line }} />
        </div>
      ))}
    </div>
  ) : null;
}
