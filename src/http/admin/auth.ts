import { type StreamError, toStreamError } from '../../../pipelines/model/index.ts';
import type { Asking } from '../client-address.ts';
import { targetOf } from '../target.ts';
import { type Endpoint, errorAnswer, textEndpoint } from './endpoint.ts';

interface AuthOptions {
  /** Whether URLs are signed at all; otherwise it is as if the path did not exist. Default: they are. */
  readonly enabled?: () => boolean;
  /** The client of the proxy that sends the request. */
  readonly clientOf: (asking: Asking) => string;
  /** Throws a StreamError if a target is not signed for the client. */
  readonly check: (target: string, client: string) => void;
  /** Called with every target that was refused. */
  readonly refused: (refused: {
    readonly target: string;
    readonly client: string;
    readonly error: StreamError;
  }) => void;
}

/**
 * `/auth`, for proxies that let their clients' URLs be checked: 204 if the URI in the header
 * `X-Original-URI` is signed for the client, otherwise 403. Without that header it is 400.
 *
 * A proxy passes on the Origin of its client. Other pages cannot send the required header without
 * the permission that OPTIONS does not give.
 */
export const auth = ({ enabled = () => true, clientOf, check, refused }: AuthOptions): Endpoint =>
  textEndpoint(
    '/auth',
    (req) => {
      if (!enabled()) return [404, 'signed_urls is off'];
      const uri = req.headers['x-original-uri']?.toString();
      if (uri === undefined)
        return [400, 'expected the header X-Original-URI: path and query of the URL that the client asks for'];
      const target = targetOf(uri);
      const client = clientOf(req);
      try {
        check(target, client);
        return [204];
      } catch (thrown) {
        const error = toStreamError(thrown);
        refused({ target, client, error });
        return errorAnswer(error);
      }
    },
    { anyOrigin: true },
  );
