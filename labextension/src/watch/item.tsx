import { ReactWidget } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import { formatCount } from '../common/format';
import { StatusMark } from '../common/icons';
import { TransContext, useTrans } from '../common/trans';
import { useSignal } from '../common/useSignal';
import type { RunWatch } from './model';

/**
 * The item of the status bar: how many runs are under way. It opens the panel.
 */
export class RunsItem extends ReactWidget {
  constructor(
    private readonly _watch: RunWatch,
    private readonly _trans: TranslationBundle,
    private readonly _open: () => void
  ) {
    super();
    this.addClass('jp-pycaret-item');
  }

  protected override render(): JSX.Element {
    return (
      <TransContext.Provider value={this._trans}>
        <Item watch={this._watch} open={this._open} />
      </TransContext.Provider>
    );
  }
}

function Item({ watch, open }: { readonly watch: RunWatch; readonly open: () => void }) {
  const trans = useTrans();
  const knows = useSignal(watch.changed, () => watch.knows);
  const running = useSignal(watch.changed, () => watch.running);
  const queued = useSignal(watch.changed, () => watch.queued);
  const words = [
    running > 0 ? trans.__('%1 running', formatCount(running)) : '',
    queued > 0 ? trans.__('%1 queued', formatCount(queued)) : ''
  ].filter(Boolean);
  const count = words.join(' · ') || trans.__('No runs');
  // Nothing is asked for this item alone: before the panel was opened no count is known.
  const text = knows ? count : trans.__('PyCaret Ops');
  return (
    <button
      type="button"
      className="jp-pycaret-status jp-pycaret-item__button"
      aria-label={trans.__('PyCaret Ops runs')}
      title={knows ? trans.__('PyCaret Ops: %1', count) : trans.__('Open PyCaret Ops')}
      onClick={open}
    >
      {words.length > 0 ? (
        <span className="jp-pycaret-status__hidden" aria-hidden="true">
          <StatusMark status={running > 0 ? 'running' : 'queued'} />
        </span>
      ) : null}
      {text}
    </button>
  );
}
