import { type Header, trimBlanks } from '../../../pipelines/model/index.ts';

/** The field with the challenges of each status (RFC 9110 section 11). */
const FIELDS: Readonly<Record<number, string>> = { 401: 'www-authenticate', 407: 'proxy-authenticate' };

/** One that is left open reaches to the end: no quote is tried twice, so the time is linear. */
const QUOTED = /"(?:[^"\\]|\\.)*(?:"|\\?$)/gs;
/** The scheme that a challenge without blanks around it begins with. A parameter has a `=` at its place. */
const SCHEME = /^([!#$%&'*+\-.^_`|~\da-z]+)(?:[ \t]+(?![ \t=])|$)/i;

/** The authentication schemes that an answer offers, as it spells them. */
const schemesOf = (status: number, headers: readonly Header[]): readonly string[] => {
  const field = FIELDS[status];
  const values = headers.filter(([name]) => name.toLowerCase() === field).map(([, value]) => value);
  const found = values
    .flatMap((value) => value.replace(QUOTED, '').split(','))
    .flatMap((part) => SCHEME.exec(trimBlanks(part))?.[1] ?? []);
  return [...new Set(found)].slice(0, 8);
};

/** What an answer of 401 or 407 wants, and what an operator can do; `''` for other answers. */
export const challenged = (status: number, headers: readonly Header[]): string => {
  const schemes = schemesOf(status, headers);
  if (schemes.length === 0) return '';
  const isProxy = status === 407;
  if (schemes.some((scheme) => scheme.toLowerCase() === 'basic'))
    return `: it wants the user name and password of ${isProxy ? 'the proxy' : 'the source'}, and none or wrong ones were given`;
  const remedy = isProxy
    ? 'have it accept Basic or this machine’s address, or use a local proxy that authenticates to it'
    : 'have it accept Basic or a client certificate, or give the source a header field that it accepts';
  return `: it wants ${schemes.join(' or ')}, but only Basic is supported; ${remedy}`;
};
