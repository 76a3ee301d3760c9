import { isUtf8 } from 'node:buffer';
import { StreamError } from '../../pipelines/model/errors.ts';
import { normalPath } from '../../pipelines/model/spelling.ts';
import { encodeByte } from './raw-targets.ts';

const bad = (target: string, expected: string): StreamError =>
  new StreamError(
    'BAD_TARGET',
    'client',
    `the request target ${JSON.stringify(target.slice(0, 200))} is malformed: ${expected}`,
  );

/**
 * Path and query of a request target in origin-form or absolute-form (RFC 9112 section 3.2),
 * exactly as sent: not percent-decoded. Throws `BAD_TARGET` for any other target.
 */
export const originForm = (target: string): string => {
  const origin = target.startsWith('/') ? null : /^https?:\/\/[^/?#]+/i.exec(target);
  const rest = origin ? target.slice(origin[0].length).replace(/^(?!\/)/, '/') : target;
  if (!rest.startsWith('/')) throw bad(target, 'expected a path that starts with / or an absolute URL');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  if (/[\x00-\x20\x7f#]/.test(rest)) throw bad(target, 'expected neither spaces, control characters nor #');
  return rest;
};

/** The path of a request target, as it stands there, without the query. */
export const pathOfTarget = (target: string): string => {
  const rest = originForm(target);
  const query = rest.indexOf('?');
  return query < 0 ? rest : rest.slice(0, query);
};

/**
 * A target as the client meant it. Node decodes it as Latin-1. Raw non-ASCII bytes are UTF-8 and
 * stand for themselves. Bytes that are not UTF-8 are percent-encoded: no catalog has such a path.
 */
export const targetOf = (received: string): string => {
  if (!/[\x80-\xff]/.test(received)) return received;
  const bytes = Buffer.from(received, 'latin1');
  return isUtf8(bytes) ? bytes.toString() : received.replace(/[\x80-\xff]/g, encodeByte);
};

/**
 * The path below a prefix (`/streamer` or `/streamer/`), as received or in its normal form; a path
 * that is not below it stays unchanged. Pulp redirects clients to its `redirect_path` and the
 * storage path, with one slash between them or two.
 */
export const withoutPrefix = (prefix: string): ((path: string) => string) => {
  const folder = prefix.replace(/\/+$/, '');
  if (folder === '') return (path) => path;
  const below = `${folder}/`;
  const isBelow = (path: string) => path === folder || path.startsWith(below);
  return (path) => {
    const known = isBelow(path) ? path : normalPath(path);
    return isBelow(known) ? known.slice(folder.length).replace(/^\/*/, '/') : path;
  };
};
