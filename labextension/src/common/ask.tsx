import { Dialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import React, { useState } from 'react';
import { TransContext } from './trans';
import { refusalOf } from './words';

export interface IAskFormProps<C> {
  readonly choice: C;
  /** why the last choice was not taken; gone with the next change */
  readonly fault: string | undefined;
  readonly change: (patch: Partial<C>) => void;
}

export interface IAskOptions<C extends object, R> {
  readonly trans: TranslationBundle;
  readonly title: string;
  /** the word on the button that does it */
  readonly accept: string;
  /** what the form begins with */
  readonly first: C;
  readonly form: (props: IAskFormProps<C>) => JSX.Element;
  /** asks once more before it is done; false goes back to the form */
  readonly confirm?: (choice: C) => Promise<boolean>;
  /** does it; what it throws is said in the form */
  readonly act: (choice: C) => Promise<R>;
}

/**
 * Ask in a dialog until the server takes the answer or the user leaves.
 *
 * JupyterLab's dialog closes before one can ask the server: a refused one opens again with its sentence.
 */
export async function ask<C extends object, R>(options: IAskOptions<C, R>): Promise<R | null> {
  const { trans, title, accept, act } = options;
  let choice = options.first;
  let fault: string | undefined;
  for (;;) {
    const dialog = new Dialog({
      title,
      body: new AskForm(options, choice, fault),
      buttons: [
        Dialog.cancelButton({ label: trans.__('Close') }),
        Dialog.okButton({ label: accept })
      ],
      focusNodeSelector: 'input, select'
    });
    // JupyterLab's dialog shows its title and is not named by it.
    dialog.node.setAttribute('aria-label', title);
    const answer = await dialog.launch();
    if (!answer.button.accept || answer.value === null) {
      return null;
    }
    choice = answer.value;
    if (options.confirm && !(await options.confirm(choice))) {
      fault = undefined;
      continue;
    }
    try {
      return await act(choice);
    } catch (error) {
      fault = refusalOf(error, trans);
    }
  }
}

class AskForm<C extends object, R> extends ReactWidget implements Dialog.IBodyWidget<C> {
  constructor(
    private readonly _options: IAskOptions<C, R>,
    private _choice: C,
    private readonly _fault: string | undefined
  ) {
    super();
  }

  getValue(): C {
    return this._choice;
  }

  protected override render(): JSX.Element {
    return (
      <TransContext.Provider value={this._options.trans}>
        <Asked
          first={this._choice}
          fault={this._fault}
          form={this._options.form}
          onChange={choice => {
            this._choice = choice;
          }}
        />
      </TransContext.Provider>
    );
  }
}

function Asked<C extends object>({
  first,
  fault,
  form: Form,
  onChange
}: {
  readonly first: C;
  readonly fault: string | undefined;
  readonly form: (props: IAskFormProps<C>) => JSX.Element;
  readonly onChange: (choice: C) => void;
}): JSX.Element {
  const [choice, setChoice] = useState(first);
  const [said, setSaid] = useState(fault);
  const change = (patch: Partial<C>): void => {
    const next = { ...choice, ...patch };
    setChoice(next);
    setSaid(undefined);
    onChange(next);
  };
  return (
    <div className="jp-pycaret jp-pycaret-form jp-pycaret-form--dialog">
      <Form choice={choice} fault={said} change={change} />
    </div>
  );
}
