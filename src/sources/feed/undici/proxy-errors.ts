import type { Dispatcher } from 'undici';
import { type Header, StreamError } from '../../../../pipelines/model/index.ts';
import { codeOf, messageOf } from '../../../lib/thrown.ts';
import { challenged } from '../challenges.ts';
import { Http1Error } from '../http1/errors.ts';
import { isOfTls, isRecordDamaged, proxyTlsReason } from '../tls-reasons.ts';

/** Names the proxy in an error of the connection to it, which would look like one of the feed. */
export const namingProxy = ({ origin }: URL, error: Error): Error => {
  if (error instanceof StreamError || error instanceof Http1Error) return error;
  if (isOfTls(error) && !isRecordDamaged(error))
    return new StreamError('TLS_FAILED', 'feed', `the proxy ${origin}: ${proxyTlsReason(error)}`, { cause: error });
  const named = new Error(`the proxy ${origin}: ${messageOf(error)}`, { cause: error });
  return Object.assign(named, { name: error.name, code: codeOf(error) });
};

/** The reason why a proxy did not do what was asked, with the authentication that it wants. */
export const refusedBy = ({ origin }: URL, status: number, headers: readonly Header[], what = ''): Http1Error =>
  new Http1Error(
    status === 407 ? 'SOURCE_REFUSED' : 'CONNECT_FAILED',
    `the proxy ${origin} answered ${status}${what}${challenged(status, headers)}`,
  );

/** undici reports a 407 without its header fields. Its controller still has them. */
export const isUnauthenticated = (error: Error): boolean => /^Proxy Authentication Required/.test(error.message);

/**
 * Asks for a tunnel. Any success opens it (RFC 9110 section 9.3.6), and undici takes 200 only. Any
 * failure names the proxy and the reason, which undici drops.
 */
export const asksForTunnel =
  (proxyUrl: URL): Dispatcher.DispatcherComposeInterceptor =>
  (dispatch) =>
  (options, handler) =>
    dispatch(options, {
      onRequestStart: (...started) => handler.onRequestStart?.(...started),
      onRequestUpgrade: (controller, status, headers, socket) => {
        if (status < 200 || status > 299)
          throw refusedBy(proxyUrl, status, headersOf(controller.rawHeaders), ` to CONNECT ${options.path}`);
        handler.onRequestUpgrade?.(controller, 200, headers, socket);
      },
      onResponseError: (controller, error) => {
        const isClosed = codeOf(error) === 'UND_ERR_SOCKET';
        const text = `the proxy ${proxyUrl.origin} closed the connection instead of opening a tunnel to ${options.path}`;
        handler.onResponseError?.(
          controller,
          isClosed ? new Http1Error('CONNECT_FAILED', text) : namingProxy(proxyUrl, error),
        );
      },
    });

/**
 * Names and values in order, with their original spelling. HTTP/1.1 delivers buffers in which names
 * and values alternate.
 */
export const headersOf = (raw: Dispatcher.DispatchController['rawHeaders']): readonly Header[] => {
  if (!Array.isArray(raw)) return [];
  const text = raw.map((part) => (typeof part === 'string' ? part : part.toString('latin1')));
  return Array.from({ length: text.length / 2 }, (_, index) => [text[2 * index] ?? '', text[2 * index + 1] ?? '']);
};
