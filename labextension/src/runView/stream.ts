import type { IRunEvent, RunStatus } from '../api/rows';

/** ms before the first new attempt, and the longest wait */
const SOON = 1000;
const LONGEST = 30000;

export interface IStreamOptions {
  readonly open: (afterSeq: number) => WebSocket;
  readonly onEvents: (events: ReadonlyArray<IRunEvent>) => void;
  /** false when the line is broken, true when it is there again */
  readonly onLine: (there: boolean) => void;
  /** the run has ended, and all of its events have come */
  readonly onClosed: (status: LastStatus) => void;
  /** ms in which events are gathered, so that a flood is drawn a few times a second */
  readonly gather?: number;
}

/**
 * All events of one run, each once and in order, whatever the line does.
 */
export class EventStream {
  constructor(private readonly _options: IStreamOptions) {}

  start(): void {
    if (this._socket === null && !this._over) {
      this._connect();
    }
  }

  /** Let go of the line; `start` goes on where it was. */
  stop(): void {
    clearTimeout(this._retry);
    const socket = this._socket;
    this._socket = null;
    socket?.close();
    this._flush();
  }

  private _connect(): void {
    const socket = this._options.open(this._seq);
    this._socket = socket;
    socket.onopen = () => {
      if (socket === this._socket) {
        this._wait = SOON;
        this._options.onLine(true);
      }
    };
    socket.onmessage = (message: MessageEvent) => {
      if (socket === this._socket) {
        this._take(JSON.parse(String(message.data)) as IRunEvent | IClosed);
      }
    };
    socket.onclose = () => {
      if (socket === this._socket) {
        this._socket = null;
        this._flush();
        if (!this._over) {
          this._options.onLine(false);
          this._retry = setTimeout(() => this._connect(), this._wait);
          this._wait = Math.min(LONGEST, 2 * this._wait);
        }
      }
    };
  }

  private _take(event: IRunEvent | IClosed): void {
    if (isLast(event)) {
      this._over = true;
      this._flush();
      this._options.onClosed(event.status);
      return;
    }
    if (event.seq <= this._seq) {
      return;
    }
    this._seq = event.seq;
    this._waiting.push(event);
    this._timer ??= setTimeout(() => this._flush(), this._options.gather ?? 100);
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

  private _socket: WebSocket | null = null;
  private _seq = 0;
  private _over = false;
  private _wait = SOON;
  private _waiting: IRunEvent[] = [];
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _retry: ReturnType<typeof setTimeout> | undefined;
}

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
