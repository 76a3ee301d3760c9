import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Report, StreamError, toStreamError } from '../../pipelines/model/index.ts';
import { Gate } from '../../pipelines/operators/valve.ts';
import { type Ahead, createAhead, type Started } from './ahead.ts';
import { type Asking, peerAddress } from './client-address.ts';
import type { Exchange } from './connection.ts';
import { identify, requestIdOf } from './identify.ts';
import type { Place, TransferSlots } from './limits.ts';
import { respond, type Writing } from './respond.ts';
import { type How, respondWithError, respondWithMethods } from './respond-briefly.ts';
import type { ServerOptions } from './server-options.ts';
import { askedOf } from './stream-request.ts';
import { pathOfTarget, targetOf } from './target.ts';

interface ExchangeOptions extends ServerOptions {
  readonly slots: TransferSlots;
  /** Milliseconds in which a client may read nothing of the data that waits for it. 0: no limit. */
  readonly clientTimeout: number;
  /** The origin of the request, if its connection is not that of the client. */
  readonly asking?: Asking;
}

/**
 * Answers one request with the events of `fetch`, or with an error. `fault` is an error that is
 * known already.
 */
export const createExchange = (
  req: IncomingMessage,
  res: ServerResponse,
  fault: StreamError | undefined,
  options: ExchangeOptions,
): Exchange => new HttpExchange(req, res, fault, options);

/** The state of one request, in one object: a small request costs little else. */
class HttpExchange implements Exchange {
  readonly #req: IncomingMessage;
  readonly #res: ServerResponse;
  readonly #asking: Asking;
  readonly #fault: StreamError | undefined;
  readonly #options: ExchangeOptions;
  readonly #id: string;
  readonly #target: string;
  readonly #client: string;
  readonly #how: How;
  #began: number;
  #report: Report | undefined;
  #failure: StreamError | undefined;
  #ahead: Ahead | undefined;
  #place: Place | undefined;
  #writing: Writing | undefined;
  #valve: Started['valve'] | undefined;

  constructor(req: IncomingMessage, res: ServerResponse, fault: StreamError | undefined, options: ExchangeOptions) {
    const { clientOf = peerAddress, newId, now, legacyErrors, clientTimeout } = options;
    this.#req = req;
    this.#res = res;
    this.#asking = options.asking ?? req;
    this.#fault = fault;
    this.#options = options;
    this.#id = (options.identify.requestId && requestIdOf(req)) || newId();
    this.#target = targetOf(req.url ?? '');
    this.#client = clientOf(this.#asking);
    this.#how = { identity: identify(this.#id, options.identify), legacyErrors, clientTimeout };
    this.#began = now();
  }

  begin(): void {
    const { method } = this.#req;
    if (this.#fault || (method !== 'GET' && method !== 'HEAD')) return;
    this.#ahead = createAhead({
      start: (giveWay) => {
        this.#began = this.#options.now();
        return this.#start(false, giveWay);
      },
      clientTimeout: this.#options.clientTimeout,
      ended: () => {
        this.#report = undefined;
      },
    });
    this.#ahead.begin();
  }

  answer(): void {
    const res = this.#res;
    const begun = this.#ahead?.take();
    if (!begun) this.#began = this.#options.now();
    res.on('close', () => this.#closed());
    try {
      if (this.#req.method === 'OPTIONS') {
        if (this.#fault) throw this.#fault;
        respondWithMethods(res, this.#how);
      } else {
        const { valve, place, events } = begun ?? this.#start(true);
        this.#place = place;
        this.#valve = valve;
        const failed = (error: StreamError) => {
          this.#failure = error;
          // The process that relays would take an end without a head for one of this process, and ask again.
          if (this.#options.asking && res.headersSent) res.flushHeaders();
        };
        this.#writing = respond(res, valve, events, this.#how, failed, place.leave);
      }
    } catch (thrown) {
      this.#failure = toStreamError(thrown);
      respondWithError(res, this.#failure, this.#how);
    }
    // The client left before a program came to answer it.
    if (res.closed) this.#closed();
  }

  leave(): void {
    if (this.#ahead?.leave()) this.#finish(499);
  }

  paused(): boolean {
    return this.#valve?.value === false;
  }

  #start(open: boolean, giveWay?: () => void): Started {
    const { pathFor = pathOfTarget, slots, fetch, handOverFor, askedAs } = this.#options;
    const { method = '' } = this.#req;
    if (method !== 'GET' && method !== 'HEAD')
      throw new StreamError('METHOD_NOT_ALLOWED', 'client', `expected GET or HEAD, found ${method}`);
    if (this.#fault) throw this.#fault;
    const path = pathFor(this.#target, this.#client);
    const asked = askedOf(this.#req);
    const valve = new Gate(open);
    const place = slots.enter(this.#client, giveWay);
    const handOver = handOverFor?.(this.#asking);
    const url = askedAs && (() => askedAs(this.#asking, { ofTarget: pathOfTarget(this.#target), ofCatalog: path }));
    const events = fetch(
      { id: this.#id, method, path, valve, client: this.#client, ...asked, handOver, askedAs: url },
      (made) => {
        this.#report = made;
      },
    );
    return { valve, place, events };
  }

  /** The report is made only when the events are unsubscribed from. */
  #closed(): void {
    const { writableFinished, statusCode } = this.#res;
    this.#place?.leave();
    this.#writing?.close();
    this.#finish(writableFinished || this.#report?.outcome === 'failed' ? statusCode : 499);
  }

  #finish(status: number): void {
    const { finished, now } = this.#options;
    finished({
      id: this.#id,
      method: this.#req.method ?? '',
      target: this.#target,
      status,
      report: this.#report,
      error: this.#failure,
      client: this.#client,
      duration: now() - this.#began,
    });
  }
}
