import { NetworkError, ResponseError } from '../api/errors';
import type { IRunEvent, RunStatus } from '../api/rows';
import type { IEventPage } from '../api/runs';
import { whenVisible } from '../common/visible';

/** ms before the first new attempt to open the WebSocket, and the longest wait */
const SOON = 1000;
const LONGEST = 30000;
/** ms between two polls while the WebSocket does not work: after news, and the longest wait */
const POLL = 1000;
const LONGEST_POLL = 5000;
/** ms that the WebSocket may take to open before the events are polled for beside it */
const PATIENCE = 3000;
/** ms without a message after which it is asked whether there are events that the WebSocket did not bring */
const FIRST_SILENCE = 2000;
const SILENCE = 15000;

export interface IStreamOptions {
  readonly open: (afterSeq: number) => WebSocket;
  /** the stored events after a `seq`, and how the run is, over HTTP */
  readonly fetch: (afterSeq: number) => Promise<IEventPage>;
  readonly onEvents: (events: ReadonlyArray<IRunEvent>) => void;
  /** null while the server is reached, by whichever way; why not otherwise */
  readonly onLine: (trouble: unknown) => void;
  /** the run has ended, and all of its events have come */
  readonly onClosed: (status: LastStatus) => void;
  /** ms in which events are gathered, so that a flood is drawn a few times a second */
  readonly gather?: number;
  /** false: nothing is expected on the WebSocket before the run ends, so silence says nothing */
  readonly mindsSilence?: boolean;
  /** ms between two polls when there is no news for long */
  readonly longestPoll?: number;
}

/**
 * All events of one run, each once and in order, whatever the line does.
 *
 * They come over the WebSocket. While it is not open, or keeps silent about events that are stored (a
 * proxy lets it through and holds its messages back), they are polled for, and the WebSocket is tried again.
 */
export class EventStream {
  constructor(private readonly _options: IStreamOptions) {}

  start(): void {
    if (!this._started && !this._over) {
      this._started = true;
      this._connect();
    }
  }

  /** Let go of the line; `start` goes on where it was. */
  stop(): void {
    this._started = false;
    this._turn += 1;
    clearTimeout(this._retry);
    clearTimeout(this._watchdog);
    this._stopPolling();
    this._hangUp();
    this._flush();
  }

  // ---------------------------------------------------------------- the WebSocket

  private _connect(): void {
    let socket: WebSocket;
    try {
      socket = this._options.open(this._seq);
    } catch {
      // A page may be forbidden to open one at all.
      this._lose();
      return;
    }
    this._socket = socket;
    // Where it did not work the last time it is not waited for.
    this._watch(this._isMissed ? 0 : PATIENCE, () => this._startPolling());
    socket.onopen = () => {
      if (socket === this._socket) {
        if (!this._distrusted) {
          this._trust();
          this._options.onLine(null);
        }
        this._mindSilence(FIRST_SILENCE);
      }
    };
    socket.onmessage = (message: MessageEvent) => {
      if (socket === this._socket) {
        this._distrusted = false;
        this._trust();
        this._mindSilence(SILENCE);
        this._take(JSON.parse(String(message.data)) as IRunEvent | IClosed);
      }
    };
    socket.onclose = () => {
      if (socket === this._socket) {
        this._lose();
      }
    };
  }

  /** The WebSocket works: nothing is polled for. */
  private _trust(): void {
    this._isMissed = false;
    this._wait = SOON;
    this._stopPolling();
  }

  /** The WebSocket is gone: poll, and try again later. */
  private _lose(): void {
    this._hangUp();
    clearTimeout(this._watchdog);
    this._flush();
    if (!this._over) {
      this._retry = setTimeout(() => this._connect(), this._wait);
      this._wait = Math.min(LONGEST, 2 * this._wait);
      this._startPolling();
    }
  }

  private _hangUp(): void {
    const socket = this._socket;
    this._socket = null;
    socket?.close();
  }

  private _watch(ms: number, then: () => void): void {
    clearTimeout(this._watchdog);
    this._watchdog = setTimeout(then, ms);
  }

  private _mindSilence(ms: number): void {
    if (this._options.mindsSilence === false) {
      clearTimeout(this._watchdog);
    } else {
      this._watch(ms, () => {
        this._giveUp();
        this._giveUp = whenVisible(() => void this._probe());
      });
    }
  }

  /** Ask whether the server has events that an open WebSocket should have brought. */
  private async _probe(): Promise<void> {
    const socket = this._socket;
    const turn = this._turn;
    const page = await this._options.fetch(this._seq).catch(() => null);
    if (turn !== this._turn || socket !== this._socket || this._over) {
      return;
    }
    const isBehind = page !== null && (page.status !== null || this._isNew(page.events));
    if (isBehind) {
      this._distrusted = true;
      this._takePage(page);
      if (!this._over) {
        this._lose();
      }
    } else if (page === null) {
      this._lose(); // the poll says why
    } else {
      this._mindSilence(SILENCE);
    }
  }

  // ---------------------------------------------------------------- polling

  private _startPolling(): void {
    if (!this._polls && this._started && !this._over) {
      this._polls = true;
      this._isMissed = true;
      this._pause = POLL;
      void this._poll();
    }
  }

  private _stopPolling(): void {
    this._polls = false;
    clearTimeout(this._nextPoll);
    this._giveUp();
  }

  private async _poll(): Promise<void> {
    const turn = ++this._turn;
    let trouble: unknown = null;
    try {
      const page = await this._options.fetch(this._seq);
      if (turn !== this._turn || this._over) {
        return;
      }
      const longest = this._options.longestPoll ?? LONGEST_POLL;
      this._pause = this._isNew(page.events) ? POLL : Math.min(longest, 1.5 * this._pause);
      this._takePage(page);
    } catch (error) {
      if (turn !== this._turn || this._over) {
        return;
      }
      if (error instanceof ResponseError && error.status === 404 && error.reason !== null) {
        this._close('deleted');
        return;
      }
      trouble = error;
      this._pause = Math.min(LONGEST, 2 * this._pause);
    }
    if (!this._polls || this._over) {
      return; // the WebSocket was faster
    }
    if (trouble === null && this._wasAway) {
      this._hurry();
    }
    this._wasAway = trouble instanceof NetworkError;
    this._options.onLine(trouble);
    this._nextPoll = setTimeout(() => {
      this._giveUp();
      this._giveUp = whenVisible(() => void this._poll());
    }, this._pause);
  }

  /** The server is there again: do not wait long for its WebSocket. */
  private _hurry(): void {
    this._wait = SOON;
    if (this._socket === null) {
      clearTimeout(this._retry);
      this._retry = setTimeout(() => this._connect(), SOON);
    }
  }

  // ---------------------------------------------------------------- what came

  private _takePage({ events, status }: IEventPage): void {
    events.forEach(event => this._take(event));
    this._flush();
    if (status !== null) {
      this._close(status);
    }
  }

  private _isNew(events: ReadonlyArray<IRunEvent>): boolean {
    return events.some(event => event.seq > this._seq);
  }

  private _take(event: IRunEvent | IClosed): void {
    if (isLast(event)) {
      this._close(event.status);
      return;
    }
    if (event.seq <= this._seq) {
      return;
    }
    this._seq = event.seq;
    this._waiting.push(event);
    this._timer ??= setTimeout(() => this._flush(), this._options.gather ?? 100);
  }

  private _close(status: LastStatus): void {
    if (!this._over) {
      this._over = true;
      this.stop();
      this._options.onLine(null);
      this._options.onClosed(status);
    }
  }

  private _flush(): void {
    clearTimeout(this._timer);
    this._timer = undefined;
    if (this._waiting.length > 0) {
      const events = this._waiting;
      this._waiting = [];
      this._options.onEvents(events);
    }
  }

  private _started = false;
  private _over = false;
  private _seq = 0;
  private _socket: WebSocket | null = null;
  /** the WebSocket kept events back: it is believed again when it brings one */
  private _distrusted = false;
  /** the WebSocket was missed, and has not come back */
  private _isMissed = false;
  private _wait = SOON;
  private _polls = false;
  private _pause = POLL;
  private _wasAway = false;
  /** counts polls and stops: only the last one may act on its answer */
  private _turn = 0;
  private _waiting: IRunEvent[] = [];
  private _timer: Timer;
  private _retry: Timer;
  private _nextPoll: Timer;
  private _watchdog: Timer;
  /** gives up the wait for somebody to see the page: nothing is asked before */
  private _giveUp: () => void = () => undefined;
}

type Timer = ReturnType<typeof setTimeout> | undefined;

/** How a run was when its line was closed. */
export type LastStatus = RunStatus | 'deleted';

/** What comes after the last event. */
interface IClosed {
  readonly kind: 'run.closed';
  readonly status: LastStatus;
}

function isLast(message: IRunEvent | IClosed): message is IClosed {
  return message.kind === 'run.closed';
}
