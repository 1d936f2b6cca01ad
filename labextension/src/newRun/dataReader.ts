import type { IProfile, IVersion } from '../api/data';
import { ResponseError } from '../api/errors';
import type { ITrainingApi } from '../api/training';
import { ProfilePoll } from '../common/profilePoll';

export interface IChosenData {
  readonly sourceId: string;
  /** null for the newest */
  readonly version: number | null;
}

export interface IReadingListener {
  /** whether a profile is being made */
  readonly onReading: (reading: boolean) => void;
  readonly onProfile: (profile: IProfile) => void;
}

/**
 * Reads what the server knows of chosen data. A form stands without: nothing that fails here is told.
 */
export class DataReader {
  constructor(private readonly _api: ITrainingApi) {}

  /** Follow the profile of the data, or of the data and its target where one is named. */
  follow({ sourceId, version }: IChosenData, target: string | null, to: IReadingListener): void {
    this._poll.follow(() => this._api.profile(sourceId, { version, target }), {
      onProfile: profile => {
        to.onReading(profile.status === 'pending');
        if (profile.status === 'ready') {
          to.onProfile(profile);
        }
      },
      onError: error => {
        // An older server has no profiles; one that is not reached may be again.
        if (error instanceof ResponseError && error.status < 500) {
          this._poll.stop();
          to.onReading(false);
        }
      }
    });
  }

  /** The versions of an upload, newest first; none where the server has none. */
  async versions(sourceId: string): Promise<ReadonlyArray<IVersion>> {
    try {
      return await this._api.versions(sourceId);
    } catch {
      return [];
    }
  }

  stop(): void {
    this._poll.stop();
  }

  private readonly _poll = new ProfilePoll();
}
