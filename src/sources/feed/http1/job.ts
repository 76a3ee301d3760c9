import type { Header } from '../../../../pipelines/model/index.ts';
import { type Exchange, type Listener, REST } from '../connection.ts';
import { ResponseReader } from './response.ts';

/** What a job does to its connection. */
interface Control {
  pause(): void;
  resume(): void;
  /** Closes the line, and makes the connection free. */
  drop(job: Job): void;
}

/** A request in progress: delivers its response, and reads the short rest of an unwanted body. */
export class Job implements Exchange {
  reader: ResponseReader;
  /** Makes the connection free. */
  readonly done: () => void;
  /** The request, known when it is sent. */
  text = '';
  /** Nothing more is delivered. */
  isOver = false;

  readonly #method: string;
  readonly #listener: Listener;
  readonly #control: Control;
  #isPaused = false;
  #draining: NodeJS.Timeout | undefined;

  constructor(method: string, listener: Listener, done: () => void, control: Control) {
    this.reader = new ResponseReader(method, this);
    this.#method = method;
    this.done = done;
    this.#listener = listener;
    this.#control = control;
  }

  /** Forgets what came before a head. */
  startOver(): void {
    this.reader = new ResponseReader(this.#method, this);
  }

  head(status: number, headers: readonly Header[]): void {
    if (this.#listener.head(status, headers)) {
      if (this.#isPaused && !this.isOver) this.#control.pause();
      return;
    }
    if (this.isOver) return;
    this.isOver = true;
    const drop = () => this.#control.drop(this);
    if (this.reader.hasEnded) return;
    if (this.reader.hasAtMost(REST.bytes)) this.#draining = setTimeout(drop, REST.timeoutMs).unref();
    else drop();
  }

  data(bytes: Buffer): void {
    if (!this.isOver) this.#listener.data(bytes);
  }

  complete(): void {
    clearTimeout(this.#draining);
    if (this.isOver) return;
    this.isOver = true;
    this.#listener.end();
  }

  fail(error: unknown): void {
    clearTimeout(this.#draining);
    if (this.isOver) return;
    this.isOver = true;
    this.#listener.error(error);
  }

  /** Before the head it only counts afterwards: the head is delivered whatever the valve. */
  pause(): void {
    this.#isPaused = true;
    if (this.reader.framing && !this.isOver) this.#control.pause();
  }

  resume(): void {
    this.#isPaused = false;
    if (this.reader.framing && !this.isOver) this.#control.resume();
  }

  abort(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#control.drop(this);
  }
}
