import { Dialog, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { IDisposable } from '@lumino/disposable';
import type { Message } from '@lumino/messaging';
import React from 'react';
import { CommandsProvider } from '../common/commands';
import { opsIcon } from '../common/icons';
import { keepFocus } from '../common/keepFocus';
import { TransContext } from '../common/trans';
import { Body } from './body';
import { ModelProvider } from './context';
import { doomedOf, type IDoomed } from './doomed';
import type { SidePanelModel } from './model';

/**
 * The frame of the side panel: its tab, and whether anybody can see it.
 */
export class SidePanel extends ReactWidget {
  constructor(
    readonly model: SidePanelModel,
    private readonly _trans: TranslationBundle,
    private readonly _commands: CommandRegistry
  ) {
    super();
    const name = _trans.__('PyCaret Ops');
    this.id = 'jupyter-pycaret-ops-side-panel';
    this.title.icon = opsIcon;
    this.title.caption = name;
    this.addClass('jp-pycaret-side');
    this.node.tabIndex = -1;
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', name);
    this._focus = keepFocus(this.node);
  }

  override dispose(): void {
    if (this.isDisposed) {
      return;
    }
    document.removeEventListener('visibilitychange', this._onVisibility);
    this._focus.dispose();
    this.model.dispose();
    super.dispose();
  }

  protected override render(): JSX.Element {
    return (
      <TransContext.Provider value={this._trans}>
        <CommandsProvider value={this._commands}>
          <ModelProvider value={this.model}>
            <Body onDelete={id => void this.askToDelete(id)} />
          </ModelProvider>
        </CommandsProvider>
      </TransContext.Provider>
    );
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    document.addEventListener('visibilitychange', this._onVisibility);
    this.model.setActive(this.isVisible);
  }

  protected override onBeforeDetach(message: Message): void {
    document.removeEventListener('visibilitychange', this._onVisibility);
    this.model.setActive(false);
    super.onBeforeDetach(message);
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.model.setActive(true);
  }

  protected override onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this.model.setActive(false);
  }

  protected override onActivateRequest(message: Message): void {
    super.onActivateRequest(message);
    this.node.focus();
  }

  /** Ask whether a row shall go, and delete it. Says nothing where it cannot go now. */
  async askToDelete(id: string): Promise<void> {
    const doomed = doomedOf(this.model.state, id);
    if (doomed === null) {
      return;
    }
    const trans = this._trans;
    const answer = await showDialog({
      title: trans.__('Delete %1?', doomed.title),
      body: this._whatGoes(doomed),
      buttons: [
        Dialog.cancelButton({ label: trans.__('Keep') }),
        Dialog.warnButton({ label: trans.__('Delete') })
      ],
      defaultButton: 0
    });
    if (answer.button.accept) {
      await this.model.delete(doomed);
    }
  }

  private _whatGoes({ region, isConnection }: IDoomed): string {
    const trans = this._trans;
    switch (region) {
      case 'data':
        return isConnection
          ? trans.__('The connection goes; the data stays where it is. Runs keep their results.')
          : trans.__('The file is removed from the server. Runs keep their results.');
      case 'runs':
        return trans.__(
          'Its results, events and plots go. A model that was promoted from it stays.'
        );
      case 'models':
        return trans.__('This version goes for good. The run that it came from stays.');
      case 'deployments':
        return trans.__('Programs that call it get no answer from then on. Its model stays.');
    }
  }

  private readonly _focus: IDisposable;

  private readonly _onVisibility = (): void => {
    if (!document.hidden && this.isVisible) {
      this.model.refresh();
    }
  };
}
