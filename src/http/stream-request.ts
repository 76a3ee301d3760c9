import type { IncomingMessage } from 'node:http';
import type { StreamRequest } from '../../pipelines/model/index.ts';
import { conditionsOf } from './conditions.ts';
import { rangesOf } from './range.ts';
import { cameByHttp10 } from './via.ts';

type Asked = Pick<StreamRequest, 'ranges' | 'conditions' | 'slice' | 'lengthRequired' | 'save' | 'traceparent'>;

/** What the header fields of a request ask for. */
export const askedOf = (req: IncomingMessage): Asked => ({
  ranges: rangesOf(req.headers.range),
  conditions: conditionsOf(req.headers),
  slice: saysTrue(req, 'pulp-stream-slice'),
  lengthRequired: hidesBreaks(req),
  save: !saysTrue(req, 'pulp-stream-request'),
  traceparent: traceparentOf(req),
});

const saysTrue = ({ headers }: IncomingMessage, name: string): boolean =>
  headers[name]?.toString().toLowerCase() === 'true';

/**
 * Whether a body without a length that breaks off looks whole to the client: it speaks HTTP/1.0 (then the body ends with the connection), and
 * a cache between us and it ends that connection like any other. Our own connection is reset, which every client understands.
 */
const hidesBreaks = ({ httpVersion, headers: { via } }: IncomingMessage): boolean =>
  via !== undefined && (httpVersion === '1.0' || cameByHttp10(via));

/** A header that is not well-formed counts as none: https://www.w3.org/TR/trace-context/#traceparent-header */
const traceparentOf = ({ headers: { traceparent } }: IncomingMessage): string | undefined =>
  typeof traceparent === 'string' && /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/.test(traceparent)
    ? traceparent
    : undefined;
