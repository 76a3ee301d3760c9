import { StreamError } from '../../pipelines/model/index.ts';

const bad = (target: string, expected: string): StreamError =>
  new StreamError(
    'BAD_TARGET',
    'client',
    `the request target ${JSON.stringify(target.slice(0, 200))} is malformed: ${expected}`,
  );

/**
 * The path of a request target in origin-form or absolute-form (RFC 9112 section 3.2), as it stands on the wire: not
 * percent-decoded, without query, and without the `;parameters` of its last segment (Pulp 2 drops both).
 * Throws `BAD_TARGET` for anything else.
 */
export const pathOfTarget = (target: string): string => {
  const origin = /^https?:\/\/[^/?#]+/i.exec(target);
  const rest = origin ? target.slice(origin[0].length) || '/' : target;
  if (!rest.startsWith('/')) throw bad(target, 'expected a path that starts with / or an absolute URL');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  if (/[\x00-\x20\x7f#]/.test(rest)) throw bad(target, 'expected neither spaces, control characters nor #');
  const [path = '/'] = rest.split('?', 1);
  const last = path.lastIndexOf('/');
  const parameters = path.indexOf(';', last);
  return parameters < 0 ? path : path.slice(0, parameters);
};
