/** A requirement that the streamer cannot break, because it does nothing that it applies to. */
interface NotOurs {
  readonly at: string;
  readonly required: string;
  readonly why: string;
}

// biome-ignore format: a table has one line a row
export const NOT_OURS: readonly NotOurs[] = [
  { at: '9112 6.2', required: 'send `Content-Length` with content; monitor the response while content is sent (9.5)', why: 'requests to feeds have no content' },
  { at: '9112 7.2', required: 'take `x-gzip` and `x-compress` as codings of the transfer', why: 'none but `chunked` is asked for (no `TE`) or read' },
  { at: '9112 7.4', required: 'name `TE` in `Connection`; never list `chunked`', why: '`TE` is not sent' },
  { at: '9112 9.7', required: 'TLS of a server', why: 'the streamer listens without TLS, behind a proxy that ends it' },
  { at: '9110 6.6.2', required: 'announce trailers', why: 'none are sent, and those of feeds are discarded' },
  { at: '9110 7.4', required: 'reject requests for https over a connection without TLS, or for another host', why: 'clients are proxies that the operator trusts, and every host and scheme has the same content' },
  { at: '9110 7.6.1', required: 'what a proxy or gateway must remove from a request that it passes on', why: 'no request is passed on: one of the streamer’s own serves many clients' },
  { at: '9110 7.6.2', required: 'count `Max-Forwards` down', why: 'OPTIONS is answered, TRACE refused; neither is passed on' },
  { at: '9110 7.6.3', required: 'as a gateway, send `Via` in requests that it passes on', why: 'no request is passed on; `User-Agent` names the streamer' },
  { at: '9110 7.7', required: 'what a proxy may transform', why: 'the streamer is an origin to its clients; content is sent as the catalog describes it' },
  { at: '9110 8.4', required: 'refuse unknown codings of content by 415', why: 'requests have no content' },
  { at: '9110 8.7', required: '`Content-Location`', why: 'passed on; nothing is concluded from it' },
  { at: '9110 9.2.1', required: 'tell safe methods from unsafe ones; do not repeat others by itself (9.2.2)', why: 'feeds are asked by GET and HEAD only' },
  { at: '9110 9.3.3', required: 'POST, PUT, DELETE (9.3.3 to 9.3.5), as client or server', why: 'never sent; refused by 405' },
  { at: '9110 9.3.8', required: 'send no secrets in TRACE', why: 'never sent' },
  { at: '9110 10.1.2', required: '`From` of robots, `Referer` (10.1.3)', why: 'neither is sent; `--header` of an importer can add `From`' },
  { at: '9110 10.2.1', required: '`Allow` and `Server` (10.2.4) of a feed', why: 'passed on; nothing is concluded from them' },
  { at: '9110 11.3', required: 'challenge by 401 with `WWW-Authenticate`; judge `Authorization` (11.6.2)', why: 'signed URLs are refused by 403; `Authorization` of clients is neither judged nor passed on' },
  { at: '9110 11.6.3', required: '`Authentication-Info`, `Proxy-Authentication-Info` (11.7.3)', why: 'Basic does not use them; they are not passed on' },
  { at: '9110 12.5.5', required: 'keep answers apart by `Vary`', why: 'every request to a feed prefers the same, so copies do not differ' },
  { at: '9110 14.5', required: 'partial PUT', why: 'PUT is refused' },
  { at: '9110 15.5', required: 'show the user the content of an error (also 15.6)', why: 'there is no user; the log has status and reason' },
];
