// Generated from schema.ts, groups.ts and kinds.ts by `npm run docs`; edit those files instead.
import type { Duration, Share, Size } from './kinds.ts';

/**
 * The settings of a streamer that is embedded in a program. A duration without unit is in seconds, a
 * size in bytes. Relative paths start at the working directory.
 */
export interface EmbeddedOptions {
  // Daemon and log

  /**
   * Folder of the streamer’s own files. Only its owner has access (mode 0700, files 0600):
   * SECURITY.md.
   *
   * Expected: the path of a folder.
   *
   * Default: `/var/lib/pulp-streamer`.
   */
  readonly stateDir?: string;

  /**
   * Feeds and alternate sources that get the trace context of requests (`traceparent` and
   * `tracestate`): comma-separated host names without ports. Others learn nothing of it.
   *
   * Expected: a comma-separated list of host names without ports.
   *
   * Default: empty.
   */
  readonly traceFeeds?: string | readonly string[];

  // Responses

  /**
   * How long caches may keep a response: `max-age` and `s-maxage` of the Cache-Control header.
   *
   * Expected: a duration of whole seconds, at most 2147483648: seconds, or a number with one of the
   * suffixes ms, s, m, h, d.
   *
   * Default: `86400 s`.
   */
  readonly cacheTimeout?: Duration;

  /**
   * How long caches may keep metadata whose name stays when it changes, such as `repomd.xml` and
   * `InRelease`, and how long a followed repository (`catalog follow`) is not compared with its
   * feed again. Files that are named by their digest, and packages, have `cacheTimeout`.
   *
   * Expected: a duration of whole seconds, at most 2147483648: seconds, or a number with one of the
   * suffixes ms, s, m, h, d.
   *
   * Default: `60 s`.
   */
  readonly metadataMaxAge?: Duration;

  /**
   * Files that answer for their folder, the first known one: `/dir/` is then looked up as
   * `/dir/index.html`, and `/dir` is redirected to `/dir/`. Empty: a path that ends with a slash is
   * like any other.
   *
   * Expected: a comma-separated list of file names without slashes and white space.
   *
   * Default: `index.html`.
   */
  readonly indexNames?: string | readonly string[];

  /**
   * Whether other folders are listed from the catalog, with names, sizes and checksums: as a page,
   * or as JSON if `Accept` prefers it. Listings ask search engines not to index them.
   *
   * Default: `false`.
   */
  readonly listings?: boolean;

  /**
   * Whether every failure of the sources is answered with 404, as in Pulp 2, instead of 502, 503 or
   * 504 by cause (docs/reference/errors.md). Error responses are never cacheable.
   *
   * Default: `false`.
   */
  readonly legacyErrors?: boolean;

  /**
   * Whether responses name the streamer in `Via`, after the proxies that the feed names.
   *
   * Default: `true`.
   */
  readonly via?: boolean;

  /**
   * Whether `Cache-Status` (RFC 9211) in responses states the kind of source that they come from,
   * such as a saved copy.
   *
   * Default: `true`.
   */
  readonly cacheStatus?: boolean;

  /**
   * Whether error responses state their cause in `Proxy-Status` (RFC 9209). It contains neither
   * addresses of sources nor secrets.
   *
   * Default: `true`.
   */
  readonly proxyStatus?: boolean;

  /**
   * Whether responses carry the request’s id of the log in `X-Request-Id`. A request may bring its
   * own id: at most 128 letters, digits and any of `_.+/=:~@-`.
   *
   * Default: `true`.
   */
  readonly requestId?: boolean;

  // Catalog

  /**
   * The catalog that entries are looked up in: the embedded one, one that several streamers share
   * (`sharedCatalogUrl`), or the database of Pulp 2. If it is not set, it is `mongodb` if there is
   * a `mongodbUrl`, or a `[database]` section as in Pulp’s own server.conf, even an empty one.
   *
   * Default: `sqlite` or `mongodb`.
   */
  readonly catalogType?: 'sqlite' | 'shared' | 'mongodb';

  /**
   * File of the embedded catalog. It holds passwords and private keys of importers, so only its
   * owner has access (mode 0600).
   *
   * Expected: the path of a file.
   *
   * Default: `{stateDir}/catalog.db`.
   */
  readonly catalog?: string;

  /**
   * Connection string of the MongoDB database that streamers with `catalog_type: shared` keep their
   * catalog in; if it names no database, `pulp_streamer`. It must not be Pulp’s. It holds passwords
   * and private keys of importers: these are refused unless the server is on this machine, or the
   * URL has a user and `tls=true`.
   *
   * Expected: mongodb://[USER:PASSWORD@]HOST[:PORT][,HOST…]/[DATABASE][?OPTIONS].
   *
   * Default: empty.
   */
  readonly sharedCatalogUrl?: string;

  /**
   * Paths of followed repositories that the metadata does not list and the feed does not have: one
   * client may ask for at most this many within a minute, then gets 429. 0: no limit.
   *
   * Expected: a whole number from 0 to 1000000.
   *
   * Default: `600`.
   */
  readonly maxMisses?: number;

  /**
   * How long clients can still ask for a revision of an imported or followed repository after it
   * was replaced: `/PREFIX@2026-11-20/` (docs/how-to/dated-views.md). A revision with a label stays
   * in any case. 0: only those.
   *
   * Expected: a duration of whole seconds, at most 2147483648: seconds, or a number with one of the
   * suffixes ms, s, m, h, d.
   *
   * Default: `0 s`.
   */
  readonly keepRevisions?: Duration;

  // Pulp’s database and files

  /**
   * Connection string of Pulp’s database. If it is set, the settings `database_…` have no effect,
   * except for `databaseName` if the URL names no database.
   *
   * Expected: mongodb://[USER:PASSWORD@]HOST[:PORT][,HOST…]/[DATABASE][?OPTIONS].
   *
   * Default: empty.
   */
  readonly mongodbUrl?: string;

  /**
   * MongoDB must answer within this time, including the connection. Otherwise a request is answered
   * with 503 and Retry-After.
   *
   * Expected: a duration of 1 ms to 24 d: seconds, or a number with one of the suffixes ms, s, m,
   * h, d.
   *
   * Default: `5 s`.
   */
  readonly mongodbTimeout?: Duration;

  /**
   * Name of Pulp’s database.
   *
   * Expected: a text.
   *
   * Default: `pulp_database`.
   */
  readonly databaseName?: string;

  /**
   * Servers of MongoDB, each with its port. For a replica set, some of its members.
   *
   * Expected: a comma-separated list, its items neither empty nor with white space within.
   *
   * Default: `localhost:27017`.
   */
  readonly databaseSeeds?: string | readonly string[];

  /**
   * User of MongoDB, authenticated against Pulp’s database. It has an effect only together with the
   * password.
   *
   * Expected: a text.
   *
   * Default: empty.
   */
  readonly databaseUsername?: string;

  /**
   * The user’s password.
   *
   * Expected: a text.
   *
   * Default: empty.
   */
  readonly databasePassword?: string;

  /**
   * Name of the replica set. If it is empty, a single seed is the server itself.
   *
   * Expected: a text.
   *
   * Default: empty.
   */
  readonly databaseReplicaSet?: string;

  /**
   * Whether connections to MongoDB use TLS.
   *
   * Default: `false`.
   */
  readonly databaseSsl?: boolean;

  /**
   * PEM file of the private key for MongoDB. Empty if the key is in the file of the certificate.
   *
   * Expected: the path of a file, or credential:NAME, or nothing.
   *
   * Default: empty.
   */
  readonly databaseSslKeyfile?: string;

  /**
   * PEM file of the client certificate for MongoDB.
   *
   * Expected: the path of a file, or credential:NAME, or nothing.
   *
   * Default: empty.
   */
  readonly databaseSslCertfile?: string;

  /**
   * Whether the certificate of MongoDB is verified.
   *
   * Default: `true`.
   */
  readonly databaseVerifySsl?: boolean;

  /**
   * PEM file of the authorities trusted for the certificate of MongoDB. Empty means
   * `/etc/pki/tls/certs/ca-bundle.crt` if it exists, as in Pulp, and otherwise the authorities that
   * Node trusts.
   *
   * Expected: the path of a file, or credential:NAME, or nothing.
   *
   * Default: empty.
   */
  readonly databaseCaPath?: string;

  /**
   * Pulp’s folder, which contains the certificates of importers.
   *
   * Expected: the path of a folder.
   *
   * Default: `/var/lib/pulp`.
   */
  readonly storageDir?: string;

  /**
   * Folders that files of feeds and sources on disk may lie in, in addition to the folder of each:
   * symbolic links may lead there. Absolute paths, separated by commas. Empty means `content` and
   * `published` in `storageDir`, since Pulp publishes by links.
   *
   * Expected: a comma-separated list of absolute paths of folders.
   *
   * Default: empty.
   */
  readonly fileRoots?: string | readonly string[];

  /**
   * Folder of Pulp’s settings for all importers of a type: `{importer_type_id}.json`.
   *
   * Expected: the path of a folder.
   *
   * Default: `/etc/pulp/server/plugins.conf.d`.
   */
  readonly pluginConfigDir?: string;

  // Feeds and alternate sources

  /**
   * Folder of the descriptors (`*.conf`) of alternate content sources.
   *
   * Expected: the path of a folder.
   *
   * Default: `/etc/pulp/content/sources/conf.d`.
   */
  readonly contentSourcesDir?: string;

  /**
   * A feed must accept a connection, TLS handshake included, within this time.
   *
   * Expected: a duration of 1 ms to 24 d: seconds, or a number with one of the suffixes ms, s, m,
   * h, d.
   *
   * Default: `6.05 s`.
   */
  readonly connectTimeout?: Duration;

  /**
   * A feed must send the head of its response within this time.
   *
   * Expected: a duration of 1 ms to 24 d: seconds, or a number with one of the suffixes ms, s, m,
   * h, d.
   *
   * Default: `27 s`.
   */
  readonly headTimeout?: Duration;

  /**
   * A source that sends nothing for this long, while it is being read, has stalled.
   *
   * Expected: a duration of 1 ms to 24 d: seconds, or a number with one of the suffixes ms, s, m,
   * h, d.
   *
   * Default: `27 s`.
   */
  readonly readTimeout?: Duration;

  /**
   * A feed connection that is not used for this long is closed.
   *
   * Expected: a duration of 1 ms to 24 d: seconds, or a number with one of the suffixes ms, s, m,
   * h, d.
   *
   * Default: `15 s`.
   */
  readonly idleTimeout?: Duration;

  /**
   * Bytes per second that a source must deliver. A slower one is replaced as if it had failed. 0:
   * no minimum.
   *
   * Expected: a whole number of bytes, or a number with one of the suffixes k, M, G, T (powers of
   * 1000), KiB, MiB, GiB, TiB (of 1024).
   *
   * Default: `0 B`.
   */
  readonly minSpeed?: Size;

  /**
   * The time over which `minSpeed` is measured.
   *
   * Expected: a duration of 1 ms to 24 d: seconds, or a number with one of the suffixes ms, s, m,
   * h, d.
   *
   * Default: `30 s`.
   */
  readonly minSpeedWindow?: Duration;

  /**
   * Hosts of feeds and alternate sources with outdated TLS, such as `old.example.com=1`. Level 1
   * also accepts keys of 1024 bits. Level 0 also accepts smaller keys, SHA-1 and MD5 signatures,
   * TLS 1.0 and 1.1. Each listed host is limited to TLS 1.2; level 2 does nothing else.
   * docs/how-to/old-tls.md shows which feed needs which level.
   *
   * Expected: a comma-separated list of HOST=LEVEL: each host once, in full and without a port, its
   * level 2, 1 or 0.
   *
   * Default: empty.
   */
  readonly feedTlsLevels?: string | Readonly<Record<string, 0 | 1 | 2>>;

  /**
   * Where feeds on other networks may lead, by redirects and as mirrors, although it is this
   * machine or an internal network: comma-separated addresses, networks in CIDR notation, and names
   * of hosts. A feed may always lead to public addresses, and to the kind of network that it is in
   * itself (docs/how-to/add-repositories.md).
   *
   * Expected: a comma-separated list of IP addresses, of networks such as 192.0.2.0/24, and of
   * names of hosts.
   *
   * Default: empty.
   */
  readonly feedNetworks?: string | readonly string[];

  /**
   * Redirects of a feed that are followed for one attempt.
   *
   * Expected: a whole number from 0 to 100.
   *
   * Default: `10`.
   */
  readonly maxRedirects?: number;

  /**
   * Connections to one feed with the same credentials that are open at a time; further requests
   * wait for one, for almost half of `headTimeout`, clients in turn. One client gets at most three
   * quarters of them.
   *
   * Expected: a whole number from 1 to 65535.
   *
   * Default: `1000`.
   */
  readonly maxConnections?: number;

  /**
   * Memory of the process that reads the metadata of a repository, a quarter of it for what it has
   * parsed. One that needs more is ended, and that refresh fails (docs/reference/limits.md).
   *
   * Expected: a size from 64 MiB to 64 GiB: a whole number of bytes, or a number with one of the
   * suffixes k, M, G, T (powers of 1000), KiB, MiB, GiB, TiB (of 1024).
   *
   * Default: `512 MiB`.
   */
  readonly metadataMemory?: Size;

  /**
   * A process that reads metadata, and works for this long without accepting bytes of its feed or
   * reporting files, is ended, and that refresh fails. Waiting for a processor does not count, up
   * to ten times as long.
   *
   * Expected: a duration of 1 ms to 24 d: seconds, or a number with one of the suffixes ms, s, m,
   * h, d.
   *
   * Default: `60 s`.
   */
  readonly metadataTimeout?: Duration;

  /**
   * Content that is larger is refused. 0: no limit.
   *
   * Expected: a whole number of bytes, or a number with one of the suffixes k, M, G, T (powers of
   * 1000), KiB, MiB, GiB, TiB (of 1024).
   *
   * Default: `0 B`.
   */
  readonly sizeLimit?: Size;

  /**
   * Files up to this size are verified before the head of the response is sent, so that a wrong one
   * can be replaced by another source.
   *
   * Expected: a whole number of bytes, or a number with one of the suffixes k, M, G, T (powers of
   * 1000), KiB, MiB, GiB, TiB (of 1024).
   *
   * Default: `1 MiB`.
   */
  readonly verifyWholeBelow?: Size;

  /**
   * A file up to `verifyWholeBelow` that has not arrived this long after its first byte is sent as
   * it arrives. Only its end then waits for the checksum.
   *
   * Expected: a duration from 0 to 24 d: seconds, or a number with one of the suffixes ms, s, m, h,
   * d.
   *
   * Default: `1 s`.
   */
  readonly verifyWholeWithin?: Duration;

  // Retries and failover

  /**
   * A client gets the head of its response, or an error, within this time: look-up, waiting for a
   * place, all attempts and the pauses between them. Package managers leave after 30 seconds. While
   * another source remains, an attempt gets at most half of the time left.
   *
   * Expected: a duration of 1 ms to 24 d: seconds, or a number with one of the suffixes ms, s, m,
   * h, d.
   *
   * Default: `25 s`.
   */
  readonly answerTimeout?: Duration;

  /**
   * Attempts that one request may make, over all its sources.
   *
   * Expected: a whole number from 1 to 1000.
   *
   * Default: `8`.
   */
  readonly attempts?: number;

  /**
   * Attempts that one request may make at one source.
   *
   * Expected: a whole number from 1 to 1000.
   *
   * Default: `3`.
   */
  readonly attemptsPerCandidate?: number;

  /**
   * Pause before a source is tried again for the first time. It doubles with each further retry,
   * with some jitter.
   *
   * Expected: a duration from 0 to 24 d: seconds, or a number with one of the suffixes ms, s, m, h,
   * d.
   *
   * Default: `0.5 s`.
   */
  readonly retryWait?: Duration;

  /**
   * Longest pause before a source is tried again.
   *
   * Expected: a duration from 0 to 24 d: seconds, or a number with one of the suffixes ms, s, m, h,
   * d.
   *
   * Default: `10 s`.
   */
  readonly retryWaitLimit?: Duration;

  /**
   * A source that failed is tried last for about this long, and for twice as long after each
   * further failure in a row.
   *
   * Expected: a duration from 0 to 24 d: seconds, or a number with one of the suffixes ms, s, m, h,
   * d.
   *
   * Default: `5 s`.
   */
  readonly cooldown?: Duration;

  /**
   * Longest time for which a source that failed is tried last.
   *
   * Expected: a duration from 0 to 24 d: seconds, or a number with one of the suffixes ms, s, m, h,
   * d.
   *
   * Default: `300 s`.
   */
  readonly cooldownLimit?: Duration;

  /**
   * Whether a second source is asked if the head of the first takes longer than 95 of 100 of its
   * recent ones. The slower of the two is dropped before its body.
   *
   * Default: `off`.
   */
  readonly hedge?: 'on' | 'off';

  // Clients and limits

  /**
   * Requests that are answered at a time, except for those that are answered from disk: from a
   * saved copy, or with bytes that wait for a slow client. Further ones get 503 and Retry-After. 0:
   * only the limit of open files applies.
   *
   * Expected: a whole number from 0 to 1000000.
   *
   * Default: `2000`.
   */
  readonly maxTransfers?: number;

  /**
   * The same limit for one client address, so that others keep a part of `maxTransfers`; further
   * requests get 429 and Retry-After. Clients behind a proxy share its address, unless it is one of
   * `trustedProxies`. 0: no limit.
   *
   * Expected: a whole number from 0 to 1000000.
   *
   * Default: `1500`.
   */
  readonly maxTransfersPerClient?: number;

  /**
   * A client that reads nothing for this long, although there is something to read, is
   * disconnected. 0: never.
   *
   * Expected: a duration from 0 to 24 d: seconds, or a number with one of the suffixes ms, s, m, h,
   * d.
   *
   * Default: `600 s`.
   */
  readonly clientTimeout?: Duration;

  /**
   * Clients that request the same content at the same time share one transfer. This much of it is
   * buffered for the slower ones; a client that falls further behind reads from the copy in the
   * making or the spill file, or continues with its own transfer. 0: nothing is shared.
   *
   * Expected: a whole number of bytes, or a number with one of the suffixes k, M, G, T (powers of
   * 1000), KiB, MiB, GiB, TiB (of 1024).
   *
   * Default: `8 MiB`.
   */
  readonly coalesceWindow?: Size;

  /**
   * Total size of the buffers of all shared transfers.
   *
   * Expected: a whole number of bytes, or a number with one of the suffixes k, M, G, T (powers of
   * 1000), KiB, MiB, GiB, TiB (of 1024).
   *
   * Default: `16 MiB`.
   */
  readonly coalesceMemory?: Size;

  /**
   * Folder of the spill file. Bytes for clients that are slower than their feed wait in it if no
   * copy is kept, so that the connection to the feed is free for others. The file has no name while
   * it is used, so nothing of it remains after the process.
   *
   * Expected: the path of a folder.
   *
   * Default: `{stateDir}/spill`.
   */
  readonly spillDir?: string;

  /**
   * Largest size of the spill file. If it is full, a transfer is as slow as its client, and
   * occupies its connection to the feed. 0: no spill file.
   *
   * Expected: a whole number of bytes, or a number with one of the suffixes k, M, G, T (powers of
   * 1000), KiB, MiB, GiB, TiB (of 1024).
   *
   * Default: `1 GiB`.
   */
  readonly spillLimit?: Size;

  /**
   * If the last client of a transfer leaves and at most this much of the content is missing, the
   * transfer continues, so that the next attempt of the client finds it: as a copy if copies are
   * kept, otherwise for a minute in the spill file. 0: it ends with its client.
   *
   * Expected: a whole number of bytes, or a number with one of the suffixes k, M, G, T (powers of
   * 1000), KiB, MiB, GiB, TiB (of 1024).
   *
   * Default: `1 MiB`.
   */
  readonly finishBelow?: Size;

  // Access and proxies

  /**
   * Whether the streamer checks signatures of URLs: `off` leaves them to the proxy in front, `auth`
   * checks those that a proxy sends to `/auth` on `adminPort`, `on` checks those of every request
   * as well. See docs/how-to/signed-urls.md.
   *
   * Default: `off`.
   */
  readonly signedUrls?: 'off' | 'auth' | 'on';

  /**
   * PEM file of the public key that signatures of URLs are verified with. It is read at the start
   * and by each reload, unless `signedUrls` is `off`.
   *
   * Expected: the path of a file, or credential:NAME.
   *
   * Default: `/etc/pki/pulp/rsa_pub.key`.
   */
  readonly rsaPub?: string;

  /**
   * Prefix that Pulp adds to the storage path when it redirects clients. It is removed from paths
   * that begin with it. If it is not set, it is `/streamer/`, as for Pulp, if a file has a section
   * `[lazy]` or `[database]`, or if `signedUrls` is set.
   *
   * Expected: a path without ? and #, or nothing.
   *
   * Default: empty or `/streamer/`.
   */
  readonly redirectPath?: string;

  /**
   * Proxies that may state the address of their client: comma-separated addresses and networks in
   * CIDR notation. Every other peer is a client itself. Each proxy must set `forwardedHeader`
   * itself, and must not pass it on from its client.
   *
   * Expected: a comma-separated list of IP addresses and of networks such as 192.0.2.0/24 or
   * 2001:db8::/32.
   *
   * Default: empty.
   */
  readonly trustedProxies?: string | readonly string[];

  /**
   * The header in which trusted proxies state the address of their client. The other ones are
   * ignored.
   *
   * Default: `X-Forwarded-For`.
   */
  readonly forwardedHeader?: 'X-Forwarded-For' | 'Forwarded' | 'X-Real-IP';

  /**
   * The URL at which clients find the paths of the catalog, usually that of the proxy in front. It
   * is written into the files that make machines clients (docs/how-to/add-clients.md). If it is not
   * set, it is the one by which a client asks: its `Host`, or what a trusted proxy states in
   * `X-Forwarded-Host` and `X-Forwarded-Proto`.
   *
   * Expected: a URL with http or https, without user, ? and #; or nothing.
   *
   * Default: empty.
   */
  readonly publicUrl?: string;

  /**
   * Proxies that send saved copies and files of alternate sources themselves if they ask for it
   * (docs/how-to/nginx.md): comma-separated addresses and networks in CIDR notation. The streamer
   * does not see the bytes that they send, so it proves nothing about them. No cache may be between
   * such a proxy and the streamer.
   *
   * Expected: a comma-separated list of IP addresses and of networks such as 192.0.2.0/24 or
   * 2001:db8::/32.
   *
   * Default: empty.
   */
  readonly sendfileProxies?: string | readonly string[];

  /**
   * Whether clients may use the streamer as their HTTP proxy, as `Acquire::http::Proxy` of apt and
   * `proxy` of dnf do: they get the hosts of `proxyHosts` and `followHosts`, and no others.
   *
   * Default: `false`.
   */
  readonly proxy?: boolean;

  /**
   * Where the catalog has the files of a host: comma-separated, `HOST=/PREFIX` or
   * `HOST/PATH=/PREFIX`. Several mirrors of one distribution can have the same prefix: then each
   * file is fetched and kept once. Needs `proxy: yes`.
   *
   * Expected: a comma-separated list of HOST[:PORT][/PATH]=/PREFIX; one * may stand for a part of
   * the name before its domain.
   *
   * Default: empty.
   */
  readonly proxyHosts?: string | readonly string[];

  /**
   * Hosts whose repositories are followed as soon as a client asks for them: `/HOST/PATH`, with or
   * without `proxy`. A `dists/` folder makes a Debian repository, `repodata/repomd.xml` one of yum;
   * other files are fetched as they are. With `https://` before it, the streamer asks the host with
   * TLS.
   *
   * Expected: a comma-separated list of [https://]HOST[:PORT]; one * may stand for a part of the
   * name before its domain.
   *
   * Default: empty.
   */
  readonly followHosts?: string | readonly string[];

  /**
   * Clients that may use the streamer as their proxy: comma-separated addresses and networks in
   * CIDR notation.
   *
   * Expected: a comma-separated list of IP addresses and of networks such as 192.0.2.0/24 or
   * 2001:db8::/32.
   *
   * Default: `127.0.0.0/8, ::1, 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 169.254.0.0/16,
   * fc00::/7, fe80::/10`.
   */
  readonly proxyClients?: string | readonly string[];

  // Saving

  /**
   * How content is saved after a complete and verified transfer: `save` keeps a copy and serves it
   * the next time, `celery` queues a task that saves the unit, `deferred` records it in Pulp’s
   * database (`deferred_download`), so that Pulp downloads it, `none` saves nothing. If it is not
   * set, it is `deferred` if `catalogType` is `mongodb`. See docs/reference/save-tasks.md.
   *
   * Default: `save` or `deferred`.
   */
  readonly dispatch?: 'save' | 'celery' | 'deferred' | 'none';

  /**
   * Folder of saved copies.
   *
   * Expected: the path of a folder.
   *
   * Default: `{stateDir}/saved`.
   */
  readonly saveDir?: string;

  /**
   * Total size of saved copies, or the percentage of the file system of `saveDir` that they may
   * take. Above it, the least recently used copies are removed. Content that is larger is not kept.
   * 0: no limit.
   *
   * Expected: a percentage above 0 and up to 100 %, or a whole number of bytes, or a number with
   * one of the suffixes k, M, G, T (powers of 1000), KiB, MiB, GiB, TiB (of 1024).
   *
   * Default: `50 %`.
   */
  readonly saveLimit?: Size | Share;

  /**
   * Bucket of an S3-compatible object store that keeps the copies instead of `saveDir`, with the
   * beginning of their names (docs/how-to/object-storage.md). Several streamers may share it.
   * `saveLimit` must then be a number of bytes to have an effect; `saveDir`, `shareCopies` and
   * `checkCopies` have none.
   *
   * Expected: s3://BUCKET or s3://BUCKET/PREFIX with letters, digits and . _ - ~ /; or nothing.
   *
   * Default: empty.
   */
  readonly saveUrl?: string;

  /**
   * URL of the object store. Empty means Amazon’s own, in `saveRegion`.
   *
   * Expected: a URL with http or https, without user, ? and #; or nothing.
   *
   * Default: empty.
   */
  readonly saveEndpoint?: string;

  /**
   * Region that requests to the object store are signed for.
   *
   * Expected: a text.
   *
   * Default: `us-east-1`.
   */
  readonly saveRegion?: string;

  /**
   * Whether the bucket is in the path of the object store’s URLs, as MinIO, Ceph and Garage want
   * it, not in the host name. If it is not set, it is `yes` if `saveEndpoint` is set.
   *
   * Default: `false` or `true`.
   */
  readonly savePathStyle?: boolean;

  /**
   * Access key of the object store. If it is empty, key and secret are found as Amazon’s programs
   * find them: the environment (`AWS_ACCESS_KEY_ID` …), the shared files, the role of the machine.
   *
   * Expected: a text.
   *
   * Default: empty.
   */
  readonly saveAccessKey?: string;

  /**
   * Secret key that belongs to `saveAccessKey`.
   *
   * Expected: a text.
   *
   * Default: empty.
   */
  readonly saveSecretKey?: string;

  /**
   * PEM file of the authorities trusted for the object store’s certificate. Empty means the
   * authorities that Node trusts.
   *
   * Expected: the path of a file, or credential:NAME, or nothing.
   *
   * Default: empty.
   */
  readonly saveCa?: string;

  /**
   * Hosts of feeds whose transfers cost money, as in their URLs (with a port that is not the usual
   * one). If a copy of their content was abandoned, it is not fetched again just to save it: the
   * next client’s transfer makes the copy.
   *
   * Expected: a comma-separated list, its items neither empty nor with white space within.
   *
   * Default: empty.
   */
  readonly meteredFeeds?: string | readonly string[];

  /**
   * Whether new versions of packages that clients have asked for are fetched ahead, after their
   * repository has changed (docs/how-to/warm.md). Needs `dispatch` = `save` and a catalog of the
   * streamer’s own.
   *
   * Default: `false`.
   */
  readonly warm?: boolean;

  /**
   * Bytes that are fetched ahead at most for one change of a repository. Packages that clients used
   * last come first.
   *
   * Expected: a whole number of bytes, or a number with one of the suffixes k, M, G, T (powers of
   * 1000), KiB, MiB, GiB, TiB (of 1024).
   *
   * Default: `2 GiB`.
   */
  readonly warmBytes?: Size;

  /**
   * Bytes per second at which everything is fetched ahead together, also by `pulp-streamer warm`.
   * 0: no limit.
   *
   * Expected: a whole number of bytes, or a number with one of the suffixes k, M, G, T (powers of
   * 1000), KiB, MiB, GiB, TiB (of 1024).
   *
   * Default: `4 MiB`.
   */
  readonly warmRate?: Size;

  /**
   * Hours of the day, in the local time of the machine, at which `warm` fetches ahead:
   * `01:00-05:00`, or several separated by commas. One may go over midnight. A transfer under way
   * ends with them and begins again the next time. Empty means at all times. `pulp-streamer warm`
   * pays no attention to them.
   *
   * Expected: a comma-separated list of hours of the day such as 01:00-05:00 or 22:30-06:00, or
   * nothing.
   *
   * Default: empty.
   */
  readonly warmHours?: string | readonly string[];

  /**
   * How recently a client must have asked for some version of a package, so that a new one is
   * fetched ahead.
   *
   * Expected: a duration of whole seconds, at most 2147483648: seconds, or a number with one of the
   * suffixes ms, s, m, h, d.
   *
   * Default: `2592000 s`.
   */
  readonly warmWithin?: Duration;

  /**
   * Whether each block of a saved copy is compared before its bytes leave. If not, a copy is served
   * if its size and time are those of its verification, and nothing proves its bytes: such a
   * response counts as not verified.
   *
   * Default: `true`.
   */
  readonly checkCopies?: boolean;

  /**
   * Bytes per second at which saved copies are read in the background and compared with their
   * checksums, each about once a day at most. Wrong ones are removed, and fetched again when
   * requested. 0: off, because each copy is checked when it is served.
   *
   * Expected: a whole number of bytes, or a number with one of the suffixes k, M, G, T (powers of
   * 1000), KiB, MiB, GiB, TiB (of 1024).
   *
   * Default: `0 B`.
   */
  readonly scrubRate?: Size;

  /**
   * Whether the group of `saveDir` may read new copies (modes 0750 and 0640), as a proxy must that
   * sends them itself (`sendfileProxies`). `saveDir` must then lie outside `stateDir`, which no
   * group may enter.
   *
   * Default: `false`.
   */
  readonly shareCopies?: boolean;

  /**
   * Whether a request for a range also has its unit saved. The save target then fetches the whole.
   *
   * Default: `false`.
   */
  readonly savePartial?: boolean;

  /**
   * Whether a transfer that its client ended early also has its unit saved.
   *
   * Default: `false`.
   */
  readonly saveAbandoned?: boolean;

  /**
   * Time after which a save request that cannot be delivered is given up; the next transfer of its
   * unit makes a new one. 0: never.
   *
   * Expected: a duration of whole seconds, at most 2147483648: seconds, or a number with one of the
   * suffixes ms, s, m, h, d.
   *
   * Default: `2592000 s`.
   */
  readonly savesMaxAge?: Duration;

  // Save tasks (dispatch: celery and deferred)

  /**
   * Message broker that tasks are sent through: `amqp://USER:PASSWORD@HOST:PORT/VHOST`, or
   * `amqps://` for TLS. Several URLs, separated by `;`, are tried in turn. The broker must be
   * RabbitMQ: AMQP 1.0 of Qpid (`qpid://`) is not supported.
   *
   * Expected: a text.
   *
   * Default: `amqp://guest@localhost//`.
   */
  readonly brokerUrl?: string;

  /**
   * Whether connections to the broker use TLS, regardless of its URL.
   *
   * Default: `false`.
   */
  readonly brokerTls?: boolean;

  /**
   * PEM file of the authorities trusted for the broker’s certificate, which must be for the host in
   * the URL. Empty means the authorities that Node trusts.
   *
   * Expected: the path of a file, or credential:NAME, or nothing.
   *
   * Default: empty.
   */
  readonly brokerCacert?: string;

  /**
   * PEM file of the private key for the broker.
   *
   * Expected: the path of a file, or credential:NAME, or nothing.
   *
   * Default: empty.
   */
  readonly brokerKeyfile?: string;

  /**
   * PEM file of the client certificate for the broker.
   *
   * Expected: the path of a file, or credential:NAME, or nothing.
   *
   * Default: empty.
   */
  readonly brokerCertfile?: string;

  /**
   * How to log in to the broker: `PLAIN` (also if empty), `AMQPLAIN`, or `EXTERNAL`, as the user
   * that the client certificate names.
   *
   * Default: empty.
   */
  readonly brokerLogin?: 'PLAIN' | 'AMQPLAIN' | 'EXTERNAL';

  /**
   * What happens to a queue before its first task: `durable` creates it if it is missing, as Celery
   * does; `passive` only checks that it exists.
   *
   * Default: `durable`.
   */
  readonly brokerDeclare?: 'durable' | 'passive';

  /**
   * Version of Celery’s messages: 2 for workers of Celery 4 and later, 1 for those of Celery 3.1.
   *
   * Expected: a whole number from 1 to 2.
   *
   * Default: `2`.
   */
  readonly celeryProtocol?: number;

  /**
   * Whether the unit is reserved, as by Pulp’s `apply_async_with_reservation`: `reservationTask`
   * goes to `reservationQueue` and queues `saveTask` when no other task has the unit. If not,
   * `saveTask` itself goes to `taskQueue`.
   *
   * Default: `true`.
   */
  readonly taskReservation?: boolean;

  /**
   * Name of the task that reserves a unit.
   *
   * Expected: a text.
   *
   * Default: `pulp.server.async.tasks._queue_reserved_task`.
   */
  readonly reservationTask?: string;

  /**
   * Queue of the task that reserves a unit.
   *
   * Expected: a text.
   *
   * Default: `resource_manager`.
   */
  readonly reservationQueue?: string;

  /**
   * Name of the task that saves a unit. A worker must have registered it. Stock Pulp has no such
   * task from 2.8 on, and would leave it in the queue.
   *
   * Expected: a text.
   *
   * Default: `pulp.server.controllers.content._download_one`.
   */
  readonly saveTask?: string;

  /**
   * Arguments of the task that saves a unit. The text `{entry}` becomes the catalog entry; within
   * texts `{path}`, `{unit_id}`, `{unit_type_id}`, `{importer_id}`, `{url}` and `{requestId}` are
   * filled in.
   *
   * Expected: a JSON array.
   *
   * Default: `["{entry}"]`.
   */
  readonly saveTaskArgs?: readonly unknown[];

  /**
   * Its keyword arguments, in the same way.
   *
   * Expected: a JSON object.
   *
   * Default: `{}`.
   */
  readonly saveTaskKwargs?: Readonly<Record<string, unknown>>;

  /**
   * Queue of tasks without reservation.
   *
   * Expected: a text.
   *
   * Default: `celery`.
   */
  readonly taskQueue?: string;

  /**
   * Whether, with `deferred`, Pulp is asked to read its records soon: at most once a minute by all
   * streamers together. Otherwise Pulp reads them every `download_interval`.
   *
   * Default: `false`.
   */
  readonly deferredNudge?: boolean;

  /**
   * Name of the task that makes Pulp read its records. It goes to `taskQueue`.
   *
   * Expected: a text.
   *
   * Default: `pulp.server.controllers.repository.queue_download_deferred`.
   */
  readonly nudgeTask?: string;
}

/** All settings: also those of the daemon. */
export interface SettingOptions extends EmbeddedOptions {
  // Daemon and log

  /**
   * TCP port that the streamer listens on. 0: any free port.
   *
   * Expected: a whole number from 0 to 65535.
   *
   * Default: `8751`.
   */
  readonly port?: number;

  /**
   * Addresses to listen on: comma-separated network interface names (`lo`), host names, IPv4 and
   * IPv6 addresses. Empty means all interfaces.
   *
   * Expected: a comma-separated list, its items neither empty nor with white space within.
   *
   * Default: `localhost`.
   */
  readonly interfaces?: string | readonly string[];

  /**
   * Processes that answer requests, for machines whose processor is the limit
   * (docs/explanation/workers.md). 1: the daemon itself answers. More: it only manages them, and
   * each path belongs to one of them. `auto`: one for each core. Several need Node 24.19 or later
   * of 24, or 26.4 or later, and packages and images have that. `maxTransfers` and the other limits
   * of clients and feeds are divided among them.
   *
   * Expected: auto, or a whole number from 1 to 64.
   *
   * Default: `1`.
   */
  readonly workers?: number | 'auto';

  /**
   * TCP port with the live page for browsers and `pulp-streamer top` (docs/how-to/watch.md). It
   * also answers `/livez`, `/readyz` and `/startupz` for supervisors, `/metrics` for Prometheus
   * (docs/how-to/monitor.md), and `/auth` for proxies (`signedUrls`). 0: not listened on, and
   * nothing is measured.
   *
   * Expected: a whole number from 0 to 65535.
   *
   * Default: `0`.
   */
  readonly adminPort?: number;

  /**
   * Addresses that `adminPort` listens on, as `interfaces`. It has no passwords: every client that
   * reaches another address than `localhost` reads metrics and states, with the names of feeds and
   * repositories, and sees on the live page who asks for what (SECURITY.md).
   *
   * Expected: a comma-separated list, its items neither empty nor with white space within.
   *
   * Default: `localhost`.
   */
  readonly adminInterfaces?: string | readonly string[];

  /**
   * Names by which `adminPort` may be asked: comma-separated host names without ports. Addresses
   * and `localhost` always work; requests for other names are refused with 421, since a web page in
   * a local browser could make them.
   *
   * Expected: a comma-separated list of host names without ports.
   *
   * Default: empty.
   */
  readonly adminHosts?: string | readonly string[];

  /**
   * How the live page and `top` show clients: by their address, by their network alone
   * (`192.0.2.*`, `2001:db8:1::*`), or not at all.
   *
   * Default: `address`.
   */
  readonly showClients?: 'address' | 'network' | 'no';

  /**
   * Unix socket for `pulp-streamer status`, `reload` and `drain`. Only the daemon’s user and root
   * may use it (mode 0600), or `controlGroup`. Its folder is made, for that user alone, if it is
   * missing. The path may have at most 103 bytes.
   *
   * Expected: the path of a file.
   *
   * Default: `{stateDir}/control.sock`.
   */
  readonly controlSocket?: string;

  /**
   * Group, by name or number, whose members may use `controlSocket` as well (mode 0660). The socket
   * must then lie outside `stateDir`, which no group may enter, and the daemon’s user must be in
   * the group.
   *
   * Expected: a text.
   *
   * Default: empty.
   */
  readonly controlGroup?: string;

  /**
   * The least severe messages that are logged. NOTSET logs everything.
   *
   * Default: `INFO`.
   */
  readonly logLevel?: 'CRITICAL' | 'ERROR' | 'WARNING' | 'INFO' | 'DEBUG' | 'NOTSET';

  /**
   * File that the log is appended to. It is made with mode 0600; one that exists keeps its owner
   * and mode. SIGUSR1 and a reload open it again, as logrotate requires (examples/logrotate).
   * Empty: standard output.
   *
   * Expected: the path of a file, or nothing.
   *
   * Default: empty.
   */
  readonly logFile?: string;

  /**
   * Whether each request is exported as a span of OpenTelemetry, over OTLP/HTTP, to where the
   * standard `OTEL_…` environment variables say. Needs packages that are not installed by default
   * (docs/how-to/trace.md).
   *
   * Default: `false`.
   */
  readonly traces?: boolean;

  /**
   * After SIGTERM, running transfers may continue for this long before they are aborted.
   *
   * Expected: a duration from 0 to 24 d: seconds, or a number with one of the suffixes ms, s, m, h,
   * d.
   *
   * Default: `30 s`.
   */
  readonly stopTimeout?: Duration;

  // Clients and limits

  /**
   * Connections of clients that are open at a time. When one more arrives, the one that has been
   * idle for longest is closed. One that has sent no request yet is idle, too. If none is idle, the
   * new one is answered with 503 and Retry-After. 0: only the limit of open files applies.
   *
   * Expected: a whole number from 0 to 1000000.
   *
   * Default: `8000`.
   */
  readonly maxClientConnections?: number;

  /**
   * Requests that one connection may carry, one after the other. The response to the last one has
   * `Connection: close`. 0: no limit.
   *
   * Expected: a whole number from 0 to 1000000.
   *
   * Default: `1000`.
   */
  readonly requestsPerConnection?: number;

  /**
   * A request must arrive completely within this time, the first one of a connection counted from
   * the start of the connection; otherwise it is answered with 408. It does not limit responses.
   *
   * Expected: a duration of 1 ms to 24 d: seconds, or a number with one of the suffixes ms, s, m,
   * h, d.
   *
   * Default: `30 s`.
   */
  readonly requestTimeout?: Duration;

  /**
   * A client connection that is idle for this long is closed. It should be longer than the idle
   * timeout of proxies in front, so that they close first.
   *
   * Expected: a duration of 1 ms to 24 d: seconds, or a number with one of the suffixes ms, s, m,
   * h, d.
   *
   * Default: `125 s`.
   */
  readonly keepAliveTimeout?: Duration;

  /**
   * Longest target (path and query) of a request. A longer one is answered with 414.
   *
   * Expected: a size from 256 B to 1 MiB: a whole number of bytes, or a number with one of the
   * suffixes k, M, G, T (powers of 1000), KiB, MiB, GiB, TiB (of 1024).
   *
   * Default: `8 KiB`.
   */
  readonly maxTargetLength?: Size;

  /**
   * Largest head of a request: its target, in which a byte beyond ASCII counts three times, and the
   * names and values of its header fields. A larger one is answered with 431.
   *
   * Expected: a size from 1 KiB to 1 MiB: a whole number of bytes, or a number with one of the
   * suffixes k, M, G, T (powers of 1000), KiB, MiB, GiB, TiB (of 1024).
   *
   * Default: `16 KiB`.
   */
  readonly maxHeaderSize?: Size;

  // Access and proxies

  /**
   * PEM file of the private key that the command `sign-url` signs with. Nothing else reads it.
   *
   * Expected: the path of a file, or credential:NAME.
   *
   * Default: `/etc/pki/pulp/rsa.key`.
   */
  readonly rsaKey?: string;

  /**
   * Servers that clients may reach through the proxy with CONNECT, for HTTPS: comma-separated
   * `HOST:PORT`. What passes is encrypted, so that nothing of it is kept or verified. Needs `proxy:
   * yes`.
   *
   * Expected: a comma-separated list of HOST:PORT; one * may stand for a part of the name before
   * its domain.
   *
   * Default: empty.
   */
  readonly proxyConnect?: string | readonly string[];
}
