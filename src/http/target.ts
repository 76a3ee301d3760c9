import { StreamError } from '../../pipelines/model/index.ts';

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
  const origin = /^https?:\/\/[^/?#]+/i.exec(target);
  const rest = origin ? target.slice(origin[0].length).replace(/^(?!\/)/, '/') : target;
  if (!rest.startsWith('/')) throw bad(target, 'expected a path that starts with / or an absolute URL');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  if (/[\x00-\x20\x7f#]/.test(rest)) throw bad(target, 'expected neither spaces, control characters nor #');
  return rest;
};

/**
 * The path of a request target, without its query and without the `;parameters` of its last segment
 * (Pulp 2 drops both).
 */
export const pathOfTarget = (target: string): string => {
  const [path = '/'] = originForm(target).split('?', 1);
  const last = path.lastIndexOf('/');
  const parameters = path.indexOf(';', last);
  return parameters < 0 ? path : path.slice(0, parameters);
};

/**
 * The path below a prefix (`/streamer` or `/streamer/`); a path that is not below it stays
 * unchanged. Pulp redirects clients to its `redirect_path` and the storage path, with one slash
 * between them or two.
 */
export const withoutPrefix = (path: string, prefix: string): string => {
  const folder = prefix.replace(/\/+$/, '');
  if (folder === '') return path;
  return path === folder || path.startsWith(`${folder}/`) ? path.slice(folder.length).replace(/^\/*/, '/') : path;
};
