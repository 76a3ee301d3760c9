import type { ErrorCode } from '../../pipelines/model/index.ts';

interface Advice {
  /** How to find the cause. */
  readonly look: string;
  /** How to remove the cause. */
  readonly act: string;
}

const advice = (look: string, act: string): Advice => ({ look, act });

/**
 * For operators: docs/how-to/troubleshoot.md is generated from it. Links are relative to
 * docs/how-to.
 */
// biome-ignore format: a table has one line a row
export const ADVICE: Readonly<Record<ErrorCode, Advice>> = {
  BAD_REQUEST: advice('`error` names the rule that the request breaks, `client` its origin.', 'Correct the client or the proxy between. A request that others might understand differently is never served ([Limits](../reference/limits.md#invalid-requests)).'),
  UNEXPECTED_CONTENT: advice('The request has a `Content-Length` above 0 or a `Transfer-Encoding`.', 'Send GET and HEAD without content. If a proxy adds it, correct the proxy.'),
  REQUEST_TIMEOUT: advice('The request arrived in part, and the rest did not follow within `request_timeout`.', 'Look for packet loss between client and streamer. Raise `request_timeout` for clients on very slow lines.'),
  TARGET_TOO_LONG: advice('Path and query together exceed `max_target_length`.', 'Look for a client in a redirect loop that lengthens its URL. Raise `max_target_length` if the URLs are right.'),
  UNKNOWN_EXPECTATION: advice('The request has an `Expect` field other than `100-continue`.', 'Correct the client.'),
  HEAD_TOO_LARGE: advice('The header fields exceed `max_header_size`; cookies are the usual cause.', 'Remove needless fields in the proxy, as the shipped configurations do, or raise `max_header_size`.'),
  WRONG_VERSION: advice('The client sends another version of HTTP, or another protocol: often TLS to the plain port.', 'Use `http://` for the streamer’s port. A proxy in front serves HTTPS and HTTP/2.'),
  OVERLOADED: advice('The lines `request` in the log: how many clients, how long their transfers take, which source is slow. In `error`: which of the two limits is reached.', 'Raise `max_transfers` or `max_client_connections` together with the limit of file descriptors ([Tune](tune.md)), or put a cache in front.'),
  TOO_MANY_MISSES: advice('`client`: if it is the address of a proxy, all its clients count as one. Which paths does it ask for?', 'Name the proxy in `trusted_proxies`, or raise `max_misses`; 0 lifts the limit.'),
  TOO_MANY_TRANSFERS: advice('`client`: if it is the address of a proxy, all its clients count as one.', 'Name the proxy in `trusted_proxies`, or raise `max_transfers_per_client`; 0 lifts the limit.'),
  BAD_TARGET: advice('`error` shows the request target.', 'Correct the client or the rewrite rule of the proxy. The target must be a path that begins with `/`, or an absolute URL.'),
  METHOD_NOT_ALLOWED: advice('The request is neither GET nor HEAD (nor OPTIONS).', 'Correct the client. The streamer only serves files.'),
  URL_REFUSED: advice('`error` has the reason: `expired`, `remote_ip not matched` and so on ([Signed URLs](signed-urls.md#the-checks)). `pulp-streamer verify-url URL` repeats the check.', '`expired`: synchronise the clocks. `remote_ip not matched`: check `trusted_proxies`. `not authenticated`: the key in `rsa_pub` is not the counterpart of the key that Pulp signs with.'),
  HOST_REFUSED: advice('`error`: the host, or the address of the client. Clients use the streamer as their proxy (`Acquire::http::Proxy`, `proxy=`), or a cache in front sends whole URLs.', 'Add the host to `proxy_hosts` or `follow_hosts`, for HTTPS to `proxy_connect`, or the network of the client to `proxy_clients` ([Serve as a proxy](serve-as-proxy.md)). If a cache in front sends whole URLs of the streamer itself: set `public_url`.'),
  NOT_IN_CATALOG: advice('`pulp-streamer catalog list PREFIX`, or `lazy_content_catalog` if the catalog is Pulp’s database: how is the path spelled there? `catalog_type` and `state_dir` in `check-config --print`: is it the right catalog?', '[Import](add-repositories.md) or [follow](follow-feeds.md) the repository. Check `redirect_path` and the rewrite rule of the proxy.'),
  CATALOG_UNAVAILABLE: advice('`error` names the file or the database and the reason. `pulp-streamer check-config --deep` tries it. If `error` names a repository and its signature, the repository is followed with a keyring, and no signed revision was read yet.', 'Start the database, or correct owner, mode or free space of the file. The streamer reconnects without a restart. A signature: follow the repository again with the right `--keyring` ([Signatures](add-repositories.md#signatures)).'),
  NOT_KEPT: advice('`pulp-streamer catalog revisions PREFIX`: which revisions are kept? `pulp-streamer copies list`: was the file asked for while the feed had it?', 'Keep copies (`dispatch = save`), and fetch what a view must have while its revision is the present one ([Dated views](dated-views.md)).'),
  NO_CANDIDATE: advice('`pulp-streamer explain PATH`: the entry has no URL that can be used, and no alternate source offers the unit.', 'Import the repository again, or correct the entry.'),

  SOURCE_MISSING: advice('`attempts`: each source with its URL. Does the feed still have the file?', 'Import the repository again: feeds remove old packages when they publish new ones. If the URL is wrong, correct the entry.'),
  IS_FOLDER: advice('The feed redirects the path to the same one with a slash at its end.', 'Clients get the same redirect, unless the path was listed as a file: then the entry is wrong.'),
  SOURCE_REFUSED: advice('`attempts`: the status (401, 403, 407) or the path without permission. `pulp-streamer importers show ID`: which credentials are used. `error` names the authentication that is wanted (Basic, NTLM, Negotiate …).', 'Renew the client certificate, the entitlement or the password of the importer. If the certificate is right and Apache answers 403: [Reach feeds with old TLS](old-tls.md). Only Basic is supported. For a proxy that wants NTLM, Negotiate or Kerberos: let it accept Basic or the machine’s address, or set a local proxy that authenticates to it as `proxy_host`. For files on disk: give the daemon’s user permission to read them.'),
  SOURCE_STATUS: advice('`attempts`: the status that the source answered with.', 'Ask the feed for the URL with curl. Most of them mean a wrong URL. 203 means that a proxy on the way alters the content: go round it, or import the repository, so that a checksum can judge it.'),
  SOURCE_FAILED: advice('`attempts`: 408, 500, 502 or 504 of the source, or an unknown status from 500 on, each time it was tried.', 'Ask the feed for the URL with curl, and report it to its operator. Add an alternate source.'),
  SOURCE_BUSY: advice('`attempts`: 429 or 503 of the source. `pulp-streamer sources list` shows until when it cools down.', 'Wait, or lower `max_downloads` of the importer (`max_concurrent` of an alternate source).'),
  SOURCE_FULL: advice('All places that `max_downloads`, `max_concurrent` or `max_connections` allow stayed taken for almost half of `head_timeout` (or of `answer_timeout`, if that is less).', 'Raise that limit, or add an alternate source.'),
  SOURCE_BROKEN: advice('`error` names the importer, the key or the URL that cannot be used.', 'Correct it: `pulp-streamer importers show ID`. An entry whose importer was removed needs a new import.'),
  TOO_MANY_REDIRECTS: advice('`error` shows the last URL and the redirect that was not followed: a loop, no `Location`, or from https to http.', 'Use the URL that the feed redirects to. Raise `max_redirects` if the chain is right.'),
  ADDRESS_REFUSED: advice('`error` shows the URL, the feed that led there by a redirect or as a mirror, and the address.', 'If the feed is trusted to lead there, add the address, its network or the host to `feed_networks`. Otherwise use a mirror that does not.'),
  OUTSIDE_ROOT: advice('`error` shows the path. A symbolic link or `..` leads out of the source’s folder.', 'Put the file below the folder, import the folder that contains both, or add the folder that the link leads to to `file_roots`.'),
  UNREADABLE: advice('`error` has the reason of the operating system (`EIO`, `EMFILE`, `ESTALE` …).', '`EIO`: check the disk. `EMFILE`: raise the limit of file descriptors. Network file systems: mount them again.'),

  DNS_FAILED: advice('`getent hosts HOST`, as the daemon’s user and on its machine.', 'Correct the resolver or the host name. If feeds are only reachable through a proxy, give the importer `proxy_host` and `proxy_port`.'),
  CONNECT_FAILED: advice('`error`: refused, unreachable or forbidden, for each address of the host. `curl -v URL` on the same machine.', 'Check port, routing and firewall. `the proxy http://… answered 403 to CONNECT`: allow the host and port in the proxy. `EMFILE`: raise the limit of file descriptors.'),
  CONNECT_TIMEOUT: advice('A firewall that drops packets is the usual cause. `curl -v --connect-timeout 10 URL`.', 'Open the firewall, or configure the proxy. Raise `connect_timeout` for very distant feeds.'),
  TLS_FAILED: advice('`error`: expired, untrusted authority, another host name, too weak or too old, or the server wants or rejects a client certificate. `the proxy https://…`: it failed with the proxy. The log also warns `certificate expires soon`.', 'Renew the client certificate, give the importer one (`--client-cert`, `--client-key`), or the right CA (`--ca`). A CA in the system’s store only applies if `NODE_USE_SYSTEM_CA=1` is set. If `error` names `feed_tls_levels`: [Reach feeds with old TLS](old-tls.md).'),
  CONNECTION_LOST: advice('`attempts`: at which byte (`from`), and from which source.', 'A single case is harmless: the transfer is resumed. If it is frequent, look at proxies and firewalls on the way to the feed.'),
  PROTOCOL_ERROR: advice('`error`: no valid HTTP, or more header fields than are accepted.', 'Check that the URL leads to an HTTP server, and to the right port. Ask with `curl -v`. `not read through a proxy`: [go round the proxy](../reference/http-requirements.md#through-a-proxy).'),
  HEAD_TIMEOUT: advice('`attempts`: the source that did not answer within `head_timeout`.', 'Add an alternate source, or raise `head_timeout` if the feed makes files on demand. `hedge` asks a second source early.'),
  STALLED: advice('`attempts`: the source that sent nothing for `read_timeout`.', 'A single case is harmless: the transfer is resumed. If it is frequent, look at the line to the feed.'),
  TOO_SLOW: advice('`min_speed` and `min_speed_window`; `max_speed` of the source.', 'Set `min_speed` well below `max_speed`, or remove it.'),

  WRONG_LENGTH: advice('`error` has both lengths. Has the feed replaced the file?', 'Import the repository again. Until then the old metadata promises another file.'),
  TOO_LARGE: advice('`error` has the length and the limit.', 'Raise `size_limit`; 0 lifts it.'),
  SHORT_BODY: advice('`attempts`: the source that ended early, and at which byte.', 'A single case is harmless: the transfer is resumed. If it is frequent, look for a proxy that truncates, or a file on disk that is still being written.'),
  WRONG_CHECKSUM: advice('`error` has the checksum found and the one in the catalog. `pulp-streamer fetch PATH` repeats the transfer.', 'If the feed replaced the file, import the repository again. If one source alone is wrong, repair it: the others are used until then. Never ignore it: the client would refuse the file as well.'),
  WRONG_CODING: advice('`attempts`: the source that sends `Content-Encoding: gzip`. It is tried again, and its content is decoded then.', 'Nothing, if a later attempt succeeds. Have the feed send files as they are: a large file is broken off before it is decoded.'),
  KNOWN_WRONG: advice('The line of an earlier request for the path has `WRONG_CHECKSUM`, with both checksums.', 'As for `WRONG_CHECKSUM`. The content is transferred again as soon as its entity tag, date or length changes, or the catalog’s checksum does, and at the latest after its cooldown (`cooldown`, `cooldown_limit`).'),
  CHANGED: advice('The entity tag changed during the transfer, or the content has neither checksum nor strong entity tag.', 'Ask again. To make such transfers resumable, import the repository, so that the catalog has checksums.'),
  NO_RANGE: advice('The source cannot continue at a byte, and no other source may take over.', 'Ask again. Add a second source, or a checksum to the entry: then another source may continue.'),
  NEEDS_WHOLE: advice('`attempts` shows it before the attempt that delivered the bytes. The source ignores `Range`, or the file is at most `verify_whole_below` bytes long.', 'Nothing: the part is cut from the whole. A source that sends no parts costs the bytes before the part, too.'),
  LENGTH_UNKNOWN: advice('The feed does not state a length, and the client uses HTTP/1.0 or is behind a proxy that does ([Header fields](../reference/headers.md#lengths)).', 'Import the repository, so that the catalog has the size, or have the proxy use HTTP/1.1.'),
  UNSATISFIABLE: advice('The client asked for bytes beyond the end; usually it has the whole file already.', 'Nothing, as a rule. If the client’s file is longer than the source’s, it has another version: delete it.'),

  ANSWER_TIMEOUT: advice('`duration`, and whether the line `request` has `attempts`. Without any, the catalog was slow, or memory for slices was taken.', 'Look at the catalog’s database: `pulp-streamer check-config --deep` tries it. Raise `answer_timeout` if clients wait longer.'),
  OUT_OF_SOURCES: advice('`error` and `attempts` list the failure of each source.', 'Look up the code of each failure on this page.'),
  CLIENT_STUCK: advice('`client`: it has read nothing for `client_timeout`.', 'Nothing, if the client has gone. Raise `client_timeout` for clients that pause downloads on purpose.'),
  INTERNAL: advice('`err` in the log has the stack. The free space of `state_dir` and the memory of the machine.', 'Report it, with the log line of the request.'),
};
