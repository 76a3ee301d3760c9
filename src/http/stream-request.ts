import type { IncomingMessage } from 'node:http';
import { type StreamRequest, trimBlanks } from '../../pipelines/model/index.ts';
import { traceContextOf } from '../lib/trace-context.ts';
import { conditionsOf } from './conditions.ts';
import { rangesOf } from './range.ts';
import { cameByHttp10 } from './via.ts';

type Asked = Pick<
  StreamRequest,
  'ranges' | 'conditions' | 'slice' | 'listAs' | 'lengthRequired' | 'save' | 'traceparent' | 'tracestate'
>;

/** The options in a request's header fields. */
export const askedOf = (req: IncomingMessage): Asked => ({
  ranges: rangesOf(req.headers.range),
  conditions: conditionsOf(req.headers),
  slice: saysTrue(req, 'pulp-stream-slice'),
  listAs: prefersJson(req.headers.accept) ? 'json' : undefined,
  lengthRequired: hidesBreaks(req),
  save: !saysTrue(req, 'pulp-stream-request'),
  ...traceContextOf(req.headers.traceparent, req.headers.tracestate),
});

const saysTrue = ({ headers }: IncomingMessage, name: string): boolean =>
  headers[name]?.toString().toLowerCase() === 'true';

/**
 * Whether a body without a length looks complete to the client although it broke off. That happens
 * if the client uses HTTP/1.0, where the body ends with the connection, and a cache stands between.
 * The cache ends its connection as usual. Our own connection is reset, which every client
 * understands.
 */
const hidesBreaks = ({ httpVersion, headers: { via } }: IncomingMessage): boolean =>
  via !== undefined && (httpVersion === '1.0' || cameByHttp10(via));

/** Whether `Accept` names JSON, and with a greater weight than HTML (RFC 9110 section 12.5.1). */
const prefersJson = (accept: string | undefined): boolean =>
  accept?.includes('json') === true && weightOf(accept, 'application/json') > weightOf(accept, 'text/html');

const weightOf = (accept: string, type: string): number => {
  const range = accept.split(',').find((one) => trimBlanks(one.split(';', 1)[0] ?? '').toLowerCase() === type);
  return range === undefined ? 0 : Number(/;[ \t]*q=([\d.]+)/i.exec(range)?.[1] ?? 1);
};
