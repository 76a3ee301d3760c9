import { trimBlanks } from '../../pipelines/model/index.ts';

/** A hop over HTTP/1.0 or older. The protocol name may be left out if it is HTTP. */
const OLD = /^(?:HTTP\/)?(?:0\.\d|1\.0)$/i;

/**
 * Whether an intermediary received the request over HTTP/1.0. Each one adds `[protocol-name "/"]
 * protocol-version received-by [comment]` (RFC 9110 section 7.6.3).
 */
export const cameByHttp10 = (via: string): boolean =>
  withoutComments(via)
    .split(',')
    .some((hop) => OLD.test(trimBlanks(hop).split(/[ \t]/, 1)[0] ?? ''));

/**
 * A text without its comments, which may be nested (RFC 9110 section 5.6.5). One that is left open is
 * text like any other: a client could hide behind it what the next hop adds.
 */
const withoutComments = (text: string): string => {
  const parts: string[] = [];
  const open: number[] = [];
  let from = 0;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (character === '(') open.push(at);
    else if (open.length === 0) continue;
    else if (character === '\\') at += 1;
    else if (character === ')') {
      const start = open.pop();
      if (open.length > 0) continue;
      parts.push(text.slice(from, start));
      from = at + 1;
    }
  }
  return [...parts, text.slice(from)].join(' ');
};
