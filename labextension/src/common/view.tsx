import { ReactWidget } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { IDisposable } from '@lumino/disposable';
import type { Message } from '@lumino/messaging';
import React from 'react';
import { keepFocus } from './keepFocus';
import { TransContext } from './trans';

export interface IViewOptions {
  readonly trans: TranslationBundle;
  readonly body: JSX.Element;
  /** whether anybody can see it has changed */
  readonly onShown?: (shown: boolean) => void;
  readonly onDispose?: () => void;
}

/**
 * The content of a tab in the main area; it scrolls by itself.
 */
export class View extends ReactWidget {
  constructor(private readonly _options: IViewOptions) {
    super();
    this.addClass('jp-pycaret-main');
    this.node.tabIndex = -1;
    this._focus = keepFocus(this.node);
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this._focus.dispose();
      this._options.onDispose?.();
      super.dispose();
    }
  }

  protected override render(): JSX.Element {
    return (
      <TransContext.Provider value={this._options.trans}>
        {this._options.body}
      </TransContext.Provider>
    );
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    this._options.onShown?.(this.isVisible);
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this._options.onShown?.(true);
  }

  protected override onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this._options.onShown?.(false);
  }

  private readonly _focus: IDisposable;
}
