/** A comment of a field, the innermost one of several; RFC 9110 section 5.6.5. */
const COMMENT = /\((?:[^()\\]|\\.)*\)/g;

/** A hop by HTTP/1.0 or older. The protocol's name may be left out if it is HTTP. */
const OLD = /^(?:HTTP\/)?(?:0\.\d|1\.0)$/i;

/**
 * Whether an intermediary received the request by HTTP/1.0: `[protocol-name "/"] protocol-version received-by [comment]` of each
 * (RFC 9110 section 7.6.3).
 */
export const cameByHttp10 = (via: string): boolean => {
  let hops = via;
  for (let before = ''; before !== hops; ) {
    before = hops;
    hops = hops.replace(COMMENT, ' ');
  }
  return hops.split(',').some((hop) => OLD.test(hop.trim().split(/\s/, 1)[0] ?? ''));
};
