import type { Observable } from 'rxjs';
import type { Header, Report, StreamEvent, StreamRequest } from '../../pipelines/model/index.ts';
import type { Valve } from '../../pipelines/operators/valve.ts';
import type { FinishedRequest } from '../lib/finished-request.ts';
import type { AskedAs } from './asked-as.ts';
import type { Asking } from './client-address.ts';
import type { Identify } from './identify.ts';
import type { Limits } from './limits.ts';
import type { Tunnels } from './tunnel.ts';

/** A request and the valve of its client, which the server moves. */
export interface ClientRequest extends StreamRequest {
  readonly valve: Valve;
}

export interface ServerOptions {
  /** Answers one request; `report` is called once with the result. Must not throw. */
  readonly fetch: (request: ClientRequest, report: (report: Report) => void) => Observable<StreamEvent>;
  /** The client's address. Default: the peer of the connection. */
  readonly clientOf?: (asking: Asking) => string;
  /**
   * The path that a target names. Throws a StreamError if it names none, or if the client may not
   * read it. Default: the path as the target states it.
   */
  readonly pathFor?: (target: string, client: string) => string;
  /**
   * How the peer that asks sends files itself; absent if it does not ask, or may not. Default: the
   * streamer sends all files.
   */
  readonly handOverFor?: (asking: Asking) => StreamRequest['handOver'];
  /**
   * The URL by which a client asks for a path: that of the target, and that of the catalog. Default:
   * unknown, so that no files are written that name it.
   */
  readonly askedAs?: AskedAs;
  /** Absent if the streamer is not a proxy of its clients: CONNECT is then no method of it. */
  readonly tunnels?: Tunnels;
  readonly finished: (finished: FinishedRequest) => void;
  readonly newId: () => string;
  /** Milliseconds. */
  readonly now: () => number;
  /** Selects the fields that describe how a response came about. */
  readonly identify: Identify;
  /** Whether every failure of the sources is reported as 404, as in Pulp 2. */
  readonly legacyErrors: boolean;
  /** Other processes of the daemon that answer for some paths. Default: this one answers for all. */
  readonly relays?: Relays;
  /** Limits of clients. Default: {@link USUAL_LIMITS}. */
  readonly limits?: Limits;
}

/** A request as another process gets it. It has no body. */
interface RelayedRequest {
  readonly method: 'GET' | 'HEAD';
  readonly url: { readonly host: string; readonly pathname: string; readonly search: string };
  readonly headers: readonly Header[];
  readonly more: readonly Header[];
}

/** Receives one response. Nothing is called after `end`, `error` or `abort`. */
interface RelayedResponse {
  /** Returns whether the body is wanted. */
  head(status: number, headers: readonly Header[]): boolean;
  /** The bytes are lent for the call, or until their loan is released. */
  data(bytes: Uint8Array): void;
  end(): void;
  error(error: unknown): void;
}

export interface Relays {
  /** The unix socket of the process that a target belongs to; absent if that is this process. */
  readonly ownerOf: (target: string) => string | undefined;
  /**
   * Sends a request to the process at a unix socket, not before the caller has returned. While it is
   * paused nothing is read. `abort` ends it.
   */
  readonly send: (
    socketPath: string,
    request: RelayedRequest,
    listener: RelayedResponse,
  ) => { pause(): void; resume(): void; abort(): void };
}
