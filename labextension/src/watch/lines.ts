import { type IRunDetail, isUnfinished } from '../api/rows';
import type { IEventPage } from '../api/runs';
import { EventStream } from '../runView/stream';

/** lines held at once; the others get theirs as these end */
const MOST_LINES = 8;
/** behind every event that a run can have: such a line is silent until the run ends */
const END = 2 ** 31 - 1;
/** the one event that a queued run has */
const QUEUED = 1;
/** the longest wait between two questions about a run that no line tells of, ms */
const LONGEST_POLL = 10000;

export interface ILineApi {
  run(id: string): Promise<IRunDetail>;
  stream(id: string, afterSeq: number): WebSocket;
}

type Unfinished = 'queued' | 'running';

export interface IWatched {
  readonly id: string;
  readonly status: Unfinished;
}

/**
 * A line to each run that is watched, over which the server says that it has started or ended.
 *
 * Nothing is asked meanwhile, and over the line of a running run nothing comes. Where no WebSocket is
 * let through, the runs themselves are asked for.
 */
export class RunLines {
  constructor(
    private readonly _api: ILineApi,
    /** null: the run is not there any more */
    private readonly _told: (id: string, news: Partial<IRunDetail> | null) => void
  ) {}

  /** Hold lines to these runs and to no other. */
  watch(runs: ReadonlyArray<IWatched>): void {
    const wanted = new Map(runs.slice(0, MOST_LINES).map(run => [run.id, run.status]));
    for (const [id, line] of this._lines) {
      if (wanted.get(id) !== line.status) {
        this._lines.delete(id);
        line.stream.stop();
      }
    }
    for (const [id, status] of wanted) {
      if (!this._lines.has(id)) {
        const stream = this._line(id, status);
        this._lines.set(id, { status, stream });
        stream.start();
      }
    }
  }

  private _line(id: string, status: Unfinished): EventStream {
    return new EventStream({
      open: seq => this._api.stream(id, status === 'running' ? END : Math.max(seq, QUEUED)),
      onEvents: events => {
        const start = events.find(event => event.kind === 'run.started');
        if (start) {
          this._told(id, { status: 'running', started_at: start.timestamp });
        }
      },
      fetch: () => this._ask(id, status),
      mindsSilence: false,
      longestPoll: LONGEST_POLL,
      onLine: () => undefined,
      onClosed: ended => {
        // The line has said how; the row says with what.
        void this._api.run(id).then(
          row => this._told(id, row),
          () => this._told(id, ended === 'deleted' ? null : { status: ended })
        );
      }
    });
  }

  /** How a run is, where no line says it. */
  private async _ask(id: string, was: Unfinished): Promise<IEventPage> {
    const row = await this._api.run(id);
    if (!isUnfinished(row)) {
      return { events: [], status: row.status };
    }
    if (row.status !== was) {
      this._told(id, row);
    }
    return { events: [], status: null };
  }

  private readonly _lines = new Map<string, { status: Unfinished; stream: EventStream }>();
}
