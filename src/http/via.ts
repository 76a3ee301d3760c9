/** A comment of a field, the innermost of nested ones (RFC 9110 section 5.6.5). */
const COMMENT = /\((?:[^()\\]|\\.)*\)/g;

/** A hop over HTTP/1.0 or older. The protocol name may be left out if it is HTTP. */
const OLD = /^(?:HTTP\/)?(?:0\.\d|1\.0)$/i;

/**
 * Whether an intermediary received the request over HTTP/1.0. Each one adds `[protocol-name "/"]
 * protocol-version received-by [comment]` (RFC 9110 section 7.6.3).
 */
export const cameByHttp10 = (via: string): boolean => {
  let hops = via;
  for (let before = ''; before !== hops; ) {
    before = hops;
    hops = hops.replace(COMMENT, ' ');
  }
  return hops.split(',').some((hop) => OLD.test(hop.trim().split(/\s/, 1)[0] ?? ''));
};
