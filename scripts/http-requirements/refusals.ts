import { T, type TestOfIt } from './requirement.ts';

/** What is refused although the RFCs allow to read it, or handled in another way than they advise. */
export interface Refusal {
  readonly at: string;
  readonly what: string;
  readonly why: string;
  readonly tests: readonly TestOfIt[];
}

// biome-ignore format: a table has one line a row
export const REFUSALS: readonly Refusal[] = [
  { at: '9112 2.2', what: 'a bare LF as the end of a line', why: 'a proxy between may read another number of messages', tests: [T.refused('a bare LF after a field'), T.malformed('a bare LF after a field')] },
  { at: '9112 3', what: 'white space other than one space in the first line', why: 'the same; only further spaces before target and version are read', tests: [T.malformed('a tab before the target'), T.malformed('a space after the version')] },
  { at: '9112 5.1', what: 'white space before the colon of a feed’s field', why: 'a field that one reader sees and another does not', tests: [T.refused('whitespace before the colon')] },
  { at: '9112 5.2', what: 'a folded line of a feed', why: 'as a gateway it may be refused by 502; a user agent would join it, and the two would read different fields', tests: [T.refused('a folded line')] },
  { at: '9112 6.1', what: 'codings of the transfer other than `chunked`', why: 'they were not asked for (no `TE`), and nobody is known to send them; a server should answer 501, and 400 is sent', tests: [T.refused('a coding beside chunks'), T.refused('another coding'), T.malformed('an unknown coding')] },
  { at: '9112 6.3', what: '`Content-Length` with `Transfer-Encoding`', why: 'the mark of smuggling; one of the two is false', tests: [T.refused('a length and chunks'), T.malformed('Content-Length and Transfer-Encoding')] },
  { at: '9112 6.3', what: 'equal lengths repeated in a request', why: 'no client sends them, and content is refused anyway', tests: [T.malformed('two lengths that are the same'), T.malformed('a list of lengths')] },
  { at: '9112 7.1', what: 'spaces beside the size of a chunk', why: 'readers disagree on them', tests: [T.refused('a chunk’s size with a space after'), T.malformed('chunks with a space after the size')] },
  { at: '9110 2.5', what: 'HTTP/1.2 to 1.9 of a client', why: 'there is no such version; the parser refuses it by 400', tests: [T.malformed('HTTP/1.2')] },
  { at: '9110 7.8', what: '101 of a feed', why: 'no upgrade was asked for', tests: [T.refused('another protocol from now on')] },
  { at: '9110 9.1', what: 'unknown methods by 400 or 405 instead of 501', why: 'Node’s parser knows a list; `Allow` tells more than 501', tests: [T.malformed('an unknown method'), T.malformed('an RTSP request')] },
  { at: '9110 9.2.2', what: 'advice not to repeat by itself what was repeated by itself', why: '`attempts` are few, wait longer each time, as long as `Retry-After` says, and end with the client', tests: [T.next('retries one whose failure may pass, after a back-off that doubles'), T.next('waits for the time that the source asks for, unless it is too long'), T.odd('is asked as often as any other, if it is always %i')] },
  { at: '9110 9.3.8', what: 'TRACE', why: 'it would echo what proxies add, and serves nobody here', tests: [T.malformed('TRACE')] },
  { at: '9110 13.1.3', what: '304 to `If-Modified-Since` with a later date than that of the content', why: 'the next version at a mirror can have an earlier date; only the same date is 304', tests: [T.ranges('%j are %i from the source’s fields')] },
  { at: '9110 15.4', what: 'redirects from https to http, and to other schemes', why: 'content and credentials would be open on the way', tests: [T.redirect('is not followed from https down to http'), T.redirect('to an unusable target is an error: %p')] },
  { at: '9110 15.4.1', what: 'choosing from a 300', why: 'there is one representation; the next source is asked', tests: [T.answer('%i is %s')] },
];

// biome-ignore format: a table has one line a row
export const THROUGH_A_PROXY: readonly Refusal[] = [
  { at: '9112 5.1', what: 'a tab beside a length is refused', why: 'read as a character of it', tests: [T.refusedThroughProxy('a length between spaces')] },
  { at: '9112 6.1', what: '`Transfer-Encoding` of HTTP/1.0 is read', why: 'undici does not report the version', tests: [T.readThroughProxy('chunks of HTTP/1.0')] },
  { at: '9112 6.3', what: 'equal lengths, repeated or in one list, are refused', why: 'read as two lengths', tests: [T.refusedThroughProxy('the same length twice'), T.refusedThroughProxy('the same length in one list')] },
  { at: '9112 7.1.1', what: 'long extensions of chunks are read', why: 'they are not kept', tests: [T.readThroughProxy('a long extension')] },
  { at: '9112 7.1.2', what: '`Content-Length` in a trailer is refused', why: 'read as a length beside chunks', tests: [T.refusedThroughProxy('a length among trailers')] },
  { at: '9112 9.3', what: 'the connection is closed after HEAD, 204 and 304, unless the answer says `keep-alive`', why: 'what follows might be content', tests: [T.read('a head alone, with a length'), T.read('no content')] },
  { at: '9110 2.5', what: 'HTTP/1.2 to 1.9 are refused', why: 'there are no such versions', tests: [T.refusedThroughProxy('a later minor version')] },
  { at: '9110 9.3.6', what: 'interim answers to CONNECT are refused', why: 'taken for the final one', tests: [T.proxy('is not available if the proxy refuses a tunnel: %s', '103 Early Hints')] },
  { at: '9110 15.2.1', what: '100 unasked is refused; other interim answers are read', why: 'taken for an answer to something else', tests: [T.refusedThroughProxy('a 100 nobody waits for'), T.read('interim responses')] },
];
