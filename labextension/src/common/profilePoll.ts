import type { IProfile } from '../api/data';
import { whenVisible } from './visible';

/** ms between two looks at a profile that is being made, at first and at most */
const SOON = 500;
const LONGEST = 4000;

export interface IProfileListener {
  /** a profile as it is: being made, ready, or failed */
  readonly onProfile: (profile: IProfile) => void;
  /** it was not reached; asked again until it is stopped */
  readonly onError: (error: unknown) => void;
}

/**
 * Follows one profile at a time until it is made.
 */
export class ProfilePoll {
  /** Follow another profile in place of the last one. */
  follow(fetch: () => Promise<IProfile>, listener: IProfileListener): void {
    this.stop();
    void this._ask(fetch, listener, this._turn, SOON);
  }

  stop(): void {
    this._turn += 1;
    clearTimeout(this._timer);
    this._giveUp?.();
    this._giveUp = null;
  }

  private async _ask(
    fetch: () => Promise<IProfile>,
    listener: IProfileListener,
    turn: number,
    wait: number
  ): Promise<void> {
    let over = false;
    try {
      const profile = await fetch();
      if (turn !== this._turn) {
        return;
      }
      over = profile.status !== 'pending';
      listener.onProfile(profile);
    } catch (error) {
      if (turn !== this._turn) {
        return;
      }
      listener.onError(error);
    }
    // What was told may have stopped it.
    if (over || turn !== this._turn) {
      return;
    }
    this._timer = setTimeout(() => {
      this._giveUp = whenVisible(() => {
        void this._ask(fetch, listener, turn, Math.min(LONGEST, 1.5 * wait));
      });
    }, wait);
  }

  private _turn = 0;
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _giveUp: (() => void) | null = null;
}
