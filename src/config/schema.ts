import { followedHosts, mappedHosts, tunnelledHosts } from './host-kinds.ts';
import {
  age,
  boolean,
  bucketUrl,
  choice,
  fileNames,
  folders,
  hostNames,
  hours,
  integer,
  integerOrAuto,
  jsonArray,
  jsonObject,
  type Kind,
  keyFile,
  list,
  loginMethod,
  mongodbUrl,
  networks,
  optional,
  path,
  places,
  size,
  sizeOrShare,
  sizeWithin,
  tlsLevels,
  urlPrefix,
  wait,
  webUrl,
  words,
} from './kinds.ts';

export interface Spelling {
  readonly section: string;
  readonly key: string;
}

/**
 * A default that follows from something else: from a section that a file has, or from another
 * setting further up.
 */
export interface Implied {
  readonly text: string;
  /** Any of these sections. */
  readonly bySections?: readonly string[];
  readonly bySetting: string;
  /** The value that the other setting must have. If it is absent, any that is not empty. */
  readonly being?: string;
}

export interface Setting<T = unknown> {
  readonly section: string;
  /** Other spellings, as in Pulp's own files. */
  readonly aliases: readonly Spelling[];
  readonly kind: Kind<T>;
  /** As an operator would write it; `{name}` stands for the value of a setting further up. */
  readonly default: string;
  /** The default if something else is set. */
  readonly implied?: Implied;
  /** For operators: one or two sentences. */
  readonly meaning: string;
  /** Its value is never shown. */
  readonly secret?: boolean;
}

export type Table = Readonly<Record<string, Setting>>;
export type ValuesOf<T extends Table> = {
  readonly [Name in keyof T]: T[Name] extends Setting<infer Value> ? Value : never;
};

const streamer = <T>(
  kind: Kind<T>,
  byDefault: string,
  meaning: string,
  ...aliases: readonly Spelling[]
): Setting<T> => ({
  section: 'streamer',
  aliases,
  kind,
  default: byDefault,
  meaning,
});

const lazy = (key: string): Spelling => ({ section: 'lazy', key });
const server = (key: string): Spelling => ({ section: 'server', key });
const database = (key: string): Spelling => ({ section: 'database', key });
const authentication = (key: string): Spelling => ({ section: 'authentication', key });
const tasks = (key: string): Spelling => ({ section: 'tasks', key });

/**
 * Every setting. Validation, defaults, flags, printing and documentation follow from this table.
 */
export const SETTINGS = {
  port: streamer(
    integer(0, 65_535),
    '8751',
    'TCP port that the streamer listens on. 0: any free port.',
    lazy('streamer_port'),
  ),
  interfaces: streamer(
    list('names'),
    'localhost',
    'Addresses to listen on: comma-separated network interface names (`lo`), host names, IPv4 and IPv6 addresses. Empty means all interfaces.',
    lazy('streamer_interface'),
  ),
  workers: streamer(
    integerOrAuto(1, 64),
    '1',
    'Processes that answer requests, for machines whose processor is the limit (docs/explanation/workers.md). 1: the daemon itself answers. More: it only manages them, and each path belongs to one of them. `auto`: one for each core. Several need Node 24.19 or later of 24, or 26.4 or later, and packages and images have that. `max_transfers` and the other limits of clients and feeds are divided among them.',
  ),
  adminPort: streamer(
    integer(0, 65_535),
    '0',
    'TCP port with the live page for browsers and `pulp-streamer top` (docs/how-to/watch.md). It also answers `/livez`, `/readyz` and `/startupz` for supervisors, `/metrics` for Prometheus (docs/how-to/monitor.md), and `/auth` for proxies (`signed_urls`). 0: not listened on, and nothing is measured.',
  ),
  adminInterfaces: streamer(
    list('names'),
    'localhost',
    'Addresses that `admin_port` listens on, as `interfaces`. It has no passwords: every client that reaches another address than `localhost` reads metrics and states, with the names of feeds and repositories, and sees on the live page who asks for what (SECURITY.md).',
  ),
  adminHosts: streamer(
    hostNames,
    '',
    'Names by which `admin_port` may be asked: comma-separated host names without ports. Addresses and `localhost` always work; requests for other names are refused with 421, since a web page in a local browser could make them.',
  ),
  traces: streamer(
    boolean,
    'no',
    'Whether each request is exported as a span of OpenTelemetry, over OTLP/HTTP, to where the standard `OTEL_…` environment variables say. Needs packages that are not installed by default (docs/how-to/trace.md).',
  ),
  traceFeeds: streamer(
    hostNames,
    '',
    'Feeds and alternate sources that get the trace context of requests (`traceparent` and `tracestate`): comma-separated host names without ports. Others learn nothing of it.',
  ),
  showClients: streamer(
    choice('address', 'network', 'no'),
    'address',
    'How the live page and `top` show clients: by their address, by their network alone (`192.0.2.*`, `2001:db8:1::*`), or not at all.',
  ),
  cacheTimeout: streamer(
    age,
    '86400',
    'How long caches may keep a response: `max-age` and `s-maxage` of the Cache-Control header.',
    lazy('streamer_cache_timeout'),
  ),
  metadataMaxAge: streamer(
    age,
    '60',
    'How long caches may keep metadata whose name stays when it changes, such as `repomd.xml` and `InRelease`, and how long a followed repository (`catalog follow`) is not compared with its feed again. Files that are named by their digest, and packages, have `cache_timeout`.',
  ),
  keepRevisions: streamer(
    age,
    '0',
    'How long clients can still ask for a revision of an imported or followed repository after it was replaced: `/PREFIX@2026-11-20/` (docs/how-to/dated-views.md). A revision with a label stays in any case. 0: only those.',
  ),
  metadataMemory: streamer(
    sizeWithin(64 * 1024 ** 2, 64 * 1024 ** 3),
    '512 MiB',
    'Memory of the process that reads the metadata of a repository, a quarter of it for what it has parsed. One that needs more is ended, and that refresh fails (docs/reference/limits.md).',
  ),
  metadataTimeout: streamer(
    wait(1),
    '60',
    'A process that reads metadata, and works for this long without accepting bytes of its feed or reporting files, is ended, and that refresh fails. Waiting for a processor does not count, up to ten times as long.',
  ),
  maxMisses: streamer(
    integer(0, 1_000_000),
    '600',
    'Paths of followed repositories that the metadata does not list and the feed does not have: one client may ask for at most this many within a minute, then gets 429. 0: no limit.',
  ),
  indexNames: streamer(
    fileNames,
    'index.html',
    'Files that answer for their folder, the first known one: `/dir/` is then looked up as `/dir/index.html`, and `/dir` is redirected to `/dir/`. Empty: a path that ends with a slash is like any other.',
  ),
  listings: streamer(
    boolean,
    'no',
    'Whether other folders are listed from the catalog, with names, sizes and checksums: as a page, or as JSON if `Accept` prefers it. Listings ask search engines not to index them.',
  ),
  legacyErrors: streamer(
    boolean,
    'no',
    'Whether every failure of the sources is answered with 404, as in Pulp 2, instead of 502, 503 or 504 by cause (docs/reference/errors.md). Error responses are never cacheable.',
  ),
  via: streamer(boolean, 'yes', 'Whether responses name the streamer in `Via`, after the proxies that the feed names.'),
  cacheStatus: streamer(
    boolean,
    'yes',
    'Whether `Cache-Status` (RFC 9211) in responses states the kind of source that they come from, such as a saved copy.',
  ),
  proxyStatus: streamer(
    boolean,
    'yes',
    'Whether error responses state their cause in `Proxy-Status` (RFC 9209). It contains neither addresses of sources nor secrets.',
  ),
  requestId: streamer(
    boolean,
    'yes',
    'Whether responses carry the request’s id of the log in `X-Request-Id`. A request may bring its own id: at most 128 letters, digits and any of `_.+/=:~@-`.',
  ),
  logLevel: streamer(
    choice('CRITICAL', 'ERROR', 'WARNING', 'INFO', 'DEBUG', 'NOTSET'),
    'INFO',
    'The least severe messages that are logged. NOTSET logs everything.',
  ),
  logFile: streamer(
    optional(path('file')),
    '',
    'File that the log is appended to. It is made with mode 0600; one that exists keeps its owner and mode. SIGUSR1 and a reload open it again, as logrotate requires (examples/logrotate). Empty: standard output.',
  ),
  stateDir: streamer(
    path('folder'),
    '/var/lib/pulp-streamer',
    'Folder of the streamer’s own files. Only its owner has access (mode 0700, files 0600): SECURITY.md.',
  ),
  controlSocket: streamer(
    path('file'),
    '{state_dir}/control.sock',
    'Unix socket for `pulp-streamer status`, `reload` and `drain`. Only the daemon’s user and root may use it (mode 0600), or `control_group`. Its folder is made, for that user alone, if it is missing. The path may have at most 103 bytes.',
  ),
  controlGroup: streamer(
    words('group'),
    '',
    'Group, by name or number, whose members may use `control_socket` as well (mode 0660). The socket must then lie outside `state_dir`, which no group may enter, and the daemon’s user must be in the group.',
  ),
  catalog: streamer(
    path('file'),
    '{state_dir}/catalog.db',
    'File of the embedded catalog. It holds passwords and private keys of importers, so only its owner has access (mode 0600).',
  ),
  catalogType: {
    ...streamer(
      choice('sqlite', 'shared', 'mongodb'),
      'sqlite',
      'The catalog that entries are looked up in: the embedded one, one that several streamers share (`shared_catalog_url`), or the database of Pulp 2. If it is not set, it is `mongodb` if there is a `mongodb_url`, or a `[database]` section as in Pulp’s own server.conf, even an empty one.',
    ),
    implied: { text: 'mongodb', bySections: ['database'], bySetting: 'mongodbUrl' },
  },
  sharedCatalogUrl: {
    ...streamer(
      mongodbUrl,
      '',
      'Connection string of the MongoDB database that streamers with `catalog_type: shared` keep their catalog in; if it names no database, `pulp_streamer`. It must not be Pulp’s. It holds passwords and private keys of importers: these are refused unless the server is on this machine, or the URL has a user and `tls=true`.',
    ),
    secret: true,
  },
  mongodbUrl: {
    ...streamer(
      mongodbUrl,
      '',
      'Connection string of Pulp’s database. If it is set, the settings `database_…` have no effect, except for `database_name` if the URL names no database.',
    ),
    secret: true,
  },
  mongodbTimeout: streamer(
    wait(1),
    '5',
    'MongoDB must answer within this time, including the connection. Otherwise a request is answered with 503 and Retry-After.',
  ),
  databaseName: streamer(words('name'), 'pulp_database', 'Name of Pulp’s database.', database('name')),
  databaseSeeds: streamer(
    list('hosts'),
    'localhost:27017',
    'Servers of MongoDB, each with its port. For a replica set, some of its members.',
    database('seeds'),
  ),
  databaseUsername: streamer(
    words('name'),
    '',
    'User of MongoDB, authenticated against Pulp’s database. It has an effect only together with the password.',
    database('username'),
  ),
  databasePassword: {
    ...streamer(words('text'), '', 'The user’s password.', database('password')),
    secret: true,
  },
  databaseReplicaSet: streamer(
    words('name'),
    '',
    'Name of the replica set. If it is empty, a single seed is the server itself.',
    database('replica_set'),
  ),
  databaseSsl: streamer(boolean, 'no', 'Whether connections to MongoDB use TLS.', database('ssl')),
  databaseSslKeyfile: streamer(
    optional(keyFile),
    '',
    'PEM file of the private key for MongoDB. Empty if the key is in the file of the certificate.',
    database('ssl_keyfile'),
  ),
  databaseSslCertfile: streamer(
    optional(keyFile),
    '',
    'PEM file of the client certificate for MongoDB.',
    database('ssl_certfile'),
  ),
  databaseVerifySsl: streamer(
    boolean,
    'yes',
    'Whether the certificate of MongoDB is verified.',
    database('verify_ssl'),
  ),
  databaseCaPath: streamer(
    optional(keyFile),
    '',
    'PEM file of the authorities trusted for the certificate of MongoDB. Empty means `/etc/pki/tls/certs/ca-bundle.crt` if it exists, as in Pulp, and otherwise the authorities that Node trusts.',
    database('ca_path'),
  ),
  storageDir: streamer(
    path('folder'),
    '/var/lib/pulp',
    'Pulp’s folder, which contains the certificates of importers.',
    server('storage_dir'),
  ),
  fileRoots: streamer(
    folders,
    '',
    'Folders that files of feeds and sources on disk may lie in, in addition to the folder of each: symbolic links may lead there. Absolute paths, separated by commas. Empty means `content` and `published` in `storage_dir`, since Pulp publishes by links.',
  ),
  pluginConfigDir: streamer(
    path('folder'),
    '/etc/pulp/server/plugins.conf.d',
    'Folder of Pulp’s settings for all importers of a type: `{importer_type_id}.json`.',
  ),
  dispatch: {
    ...streamer(
      choice('save', 'celery', 'deferred', 'none'),
      'save',
      'How content is saved after a complete and verified transfer: `save` keeps a copy and serves it the next time, `celery` queues a task that saves the unit, `deferred` records it in Pulp’s database (`deferred_download`), so that Pulp downloads it, `none` saves nothing. If it is not set, it is `deferred` if `catalog_type` is `mongodb`. See docs/reference/save-tasks.md.',
    ),
    implied: { text: 'deferred', bySetting: 'catalogType', being: 'mongodb' },
  },
  saveDir: streamer(path('folder'), '{state_dir}/saved', 'Folder of saved copies.'),
  saveLimit: streamer(
    sizeOrShare,
    '50 %',
    'Total size of saved copies, or the percentage of the file system of `save_dir` that they may take. Above it, the least recently used copies are removed. Content that is larger is not kept. 0: no limit.',
  ),
  checkCopies: streamer(
    boolean,
    'yes',
    'Whether each block of a saved copy is compared before its bytes leave. If not, a copy is served if its size and time are those of its verification, and nothing proves its bytes: such a response counts as not verified.',
  ),
  scrubRate: streamer(
    size,
    '0',
    'Bytes per second at which saved copies are read in the background and compared with their checksums, each about once a day at most. Wrong ones are removed, and fetched again when requested. 0: off, because each copy is checked when it is served.',
  ),
  shareCopies: streamer(
    boolean,
    'no',
    'Whether the group of `save_dir` may read new copies (modes 0750 and 0640), as a proxy must that sends them itself (`sendfile_proxies`). `save_dir` must then lie outside `state_dir`, which no group may enter.',
  ),
  saveUrl: streamer(
    bucketUrl,
    '',
    'Bucket of an S3-compatible object store that keeps the copies instead of `save_dir`, with the beginning of their names (docs/how-to/object-storage.md). Several streamers may share it. `save_limit` must then be a number of bytes to have an effect; `save_dir`, `share_copies` and `check_copies` have none.',
  ),
  saveEndpoint: streamer(webUrl, '', 'URL of the object store. Empty means Amazon’s own, in `save_region`.'),
  saveRegion: streamer(words('region'), 'us-east-1', 'Region that requests to the object store are signed for.'),
  savePathStyle: {
    ...streamer(
      boolean,
      'no',
      'Whether the bucket is in the path of the object store’s URLs, as MinIO, Ceph and Garage want it, not in the host name. If it is not set, it is `yes` if `save_endpoint` is set.',
    ),
    implied: { text: 'yes', bySetting: 'saveEndpoint' },
  },
  saveAccessKey: streamer(
    words('key'),
    '',
    'Access key of the object store. If it is empty, key and secret are found as Amazon’s programs find them: the environment (`AWS_ACCESS_KEY_ID` …), the shared files, the role of the machine.',
  ),
  saveSecretKey: {
    ...streamer(words('secret'), '', 'Secret key that belongs to `save_access_key`.'),
    secret: true,
  },
  saveCa: streamer(
    optional(keyFile),
    '',
    'PEM file of the authorities trusted for the object store’s certificate. Empty means the authorities that Node trusts.',
  ),
  meteredFeeds: streamer(
    list('hosts'),
    '',
    'Hosts of feeds whose transfers cost money, as in their URLs (with a port that is not the usual one). If a copy of their content was abandoned, it is not fetched again just to save it: the next client’s transfer makes the copy.',
  ),
  warm: streamer(
    boolean,
    'no',
    'Whether new versions of packages that clients have asked for are fetched ahead, after their repository has changed (docs/how-to/warm.md). Needs `dispatch` = `save` and a catalog of the streamer’s own.',
  ),
  warmBytes: streamer(
    size,
    '2 GiB',
    'Bytes that are fetched ahead at most for one change of a repository. Packages that clients used last come first.',
  ),
  warmRate: streamer(
    size,
    '4 MiB',
    'Bytes per second at which everything is fetched ahead together, also by `pulp-streamer warm`. 0: no limit.',
  ),
  warmHours: streamer(
    hours,
    '',
    'Hours of the day, in the local time of the machine, at which `warm` fetches ahead: `01:00-05:00`, or several separated by commas. One may go over midnight. A transfer under way ends with them and begins again the next time. Empty means at all times. `pulp-streamer warm` pays no attention to them.',
  ),
  warmWithin: streamer(
    age,
    '30d',
    'How recently a client must have asked for some version of a package, so that a new one is fetched ahead.',
  ),
  savePartial: streamer(
    boolean,
    'no',
    'Whether a request for a range also has its unit saved. The save target then fetches the whole.',
  ),
  savesMaxAge: streamer(
    age,
    '30d',
    'Time after which a save request that cannot be delivered is given up; the next transfer of its unit makes a new one. 0: never.',
  ),
  saveAbandoned: streamer(boolean, 'no', 'Whether a transfer that its client ended early also has its unit saved.'),
  brokerUrl: {
    ...streamer(
      words('url'),
      'amqp://guest@localhost//',
      'Message broker that tasks are sent through: `amqp://USER:PASSWORD@HOST:PORT/VHOST`, or `amqps://` for TLS. Several URLs, separated by `;`, are tried in turn. The broker must be RabbitMQ: AMQP 1.0 of Qpid (`qpid://`) is not supported.',
      tasks('broker_url'),
    ),
    secret: true,
  },
  brokerTls: streamer(
    boolean,
    'no',
    'Whether connections to the broker use TLS, regardless of its URL.',
    tasks('celery_require_ssl'),
  ),
  brokerCacert: streamer(
    optional(keyFile),
    '',
    'PEM file of the authorities trusted for the broker’s certificate, which must be for the host in the URL. Empty means the authorities that Node trusts.',
    tasks('cacert'),
  ),
  brokerKeyfile: streamer(optional(keyFile), '', 'PEM file of the private key for the broker.', tasks('keyfile')),
  brokerCertfile: streamer(
    optional(keyFile),
    '',
    'PEM file of the client certificate for the broker.',
    tasks('certfile'),
  ),
  brokerLogin: streamer(
    loginMethod,
    '',
    'How to log in to the broker: `PLAIN` (also if empty), `AMQPLAIN`, or `EXTERNAL`, as the user that the client certificate names.',
    tasks('login_method'),
  ),
  brokerDeclare: streamer(
    choice('durable', 'passive'),
    'durable',
    'What happens to a queue before its first task: `durable` creates it if it is missing, as Celery does; `passive` only checks that it exists.',
  ),
  celeryProtocol: streamer(
    integer(1, 2),
    '2',
    'Version of Celery’s messages: 2 for workers of Celery 4 and later, 1 for those of Celery 3.1.',
  ),
  taskReservation: streamer(
    boolean,
    'yes',
    'Whether the unit is reserved, as by Pulp’s `apply_async_with_reservation`: `reservation_task` goes to `reservation_queue` and queues `save_task` when no other task has the unit. If not, `save_task` itself goes to `task_queue`.',
  ),
  reservationTask: streamer(
    words('name'),
    'pulp.server.async.tasks._queue_reserved_task',
    'Name of the task that reserves a unit.',
  ),
  reservationQueue: streamer(words('name'), 'resource_manager', 'Queue of the task that reserves a unit.'),
  saveTask: streamer(
    words('name'),
    'pulp.server.controllers.content._download_one',
    'Name of the task that saves a unit. A worker must have registered it. Stock Pulp has no such task from 2.8 on, and would leave it in the queue.',
  ),
  saveTaskArgs: streamer(
    jsonArray,
    '["{entry}"]',
    'Arguments of the task that saves a unit. The text `{entry}` becomes the catalog entry; within texts `{path}`, `{unit_id}`, `{unit_type_id}`, `{importer_id}`, `{url}` and `{request_id}` are filled in.',
  ),
  saveTaskKwargs: streamer(jsonObject, '{}', 'Its keyword arguments, in the same way.'),
  taskQueue: streamer(words('name'), 'celery', 'Queue of tasks without reservation.'),
  deferredNudge: streamer(
    boolean,
    'no',
    'Whether, with `deferred`, Pulp is asked to read its records soon: at most once a minute by all streamers together. Otherwise Pulp reads them every `download_interval`.',
  ),
  nudgeTask: streamer(
    words('name'),
    'pulp.server.controllers.repository.queue_download_deferred',
    'Name of the task that makes Pulp read its records. It goes to `task_queue`.',
  ),
  contentSourcesDir: streamer(
    path('folder'),
    '/etc/pulp/content/sources/conf.d',
    'Folder of the descriptors (`*.conf`) of alternate content sources.',
  ),
  connectTimeout: streamer(
    wait(1),
    '6.05',
    'A feed must accept a connection, TLS handshake included, within this time.',
  ),
  answerTimeout: streamer(
    wait(1),
    '25',
    'A client gets the head of its response, or an error, within this time: look-up, waiting for a place, all attempts and the pauses between them. Package managers leave after 30 seconds. While another source remains, an attempt gets at most half of the time left.',
  ),
  headTimeout: streamer(wait(1), '27', 'A feed must send the head of its response within this time.'),
  readTimeout: streamer(
    wait(1),
    '27',
    'A source that sends nothing for this long, while it is being read, has stalled.',
  ),
  idleTimeout: streamer(wait(1), '15', 'A feed connection that is not used for this long is closed.'),
  feedTlsLevels: streamer(
    tlsLevels,
    '',
    'Hosts of feeds and alternate sources with outdated TLS, such as `old.example.com=1`. Level 1 also accepts keys of 1024 bits. Level 0 also accepts smaller keys, SHA-1 and MD5 signatures, TLS 1.0 and 1.1. Each listed host is limited to TLS 1.2; level 2 does nothing else. docs/how-to/old-tls.md shows which feed needs which level.',
  ),
  feedNetworks: streamer(
    places,
    '',
    'Where feeds on other networks may lead, by redirects and as mirrors, although it is this machine or an internal network: comma-separated addresses, networks in CIDR notation, and names of hosts. A feed may always lead to public addresses, and to the kind of network that it is in itself (docs/how-to/add-repositories.md).',
  ),
  maxRedirects: streamer(integer(0, 100), '10', 'Redirects of a feed that are followed for one attempt.'),
  maxConnections: streamer(
    integer(1, 65_535),
    '1000',
    'Connections to one feed with the same credentials that are open at a time; further requests wait for one, for almost half of `head_timeout`, clients in turn. One client gets at most three quarters of them.',
  ),
  verifyWholeBelow: streamer(
    size,
    '1 MiB',
    'Files up to this size are verified before the head of the response is sent, so that a wrong one can be replaced by another source.',
  ),
  verifyWholeWithin: streamer(
    wait(0),
    '1',
    'A file up to `verify_whole_below` that has not arrived this long after its first byte is sent as it arrives. Only its end then waits for the checksum.',
  ),
  attempts: streamer(integer(1, 1000), '8', 'Attempts that one request may make, over all its sources.'),
  attemptsPerCandidate: streamer(integer(1, 1000), '3', 'Attempts that one request may make at one source.'),
  retryWait: streamer(
    wait(0),
    '0.5',
    'Pause before a source is tried again for the first time. It doubles with each further retry, with some jitter.',
  ),
  retryWaitLimit: streamer(wait(0), '10', 'Longest pause before a source is tried again.'),
  minSpeed: streamer(
    size,
    '0',
    'Bytes per second that a source must deliver. A slower one is replaced as if it had failed. 0: no minimum.',
  ),
  minSpeedWindow: streamer(wait(1), '30', 'The time over which `min_speed` is measured.'),
  clientTimeout: streamer(
    wait(0),
    '600',
    'A client that reads nothing for this long, although there is something to read, is disconnected. 0: never.',
  ),
  coalesceWindow: streamer(
    size,
    '8 MiB',
    'Clients that request the same content at the same time share one transfer. This much of it is buffered for the slower ones; a client that falls further behind reads from the copy in the making or the spill file, or continues with its own transfer. 0: nothing is shared.',
  ),
  coalesceMemory: streamer(size, '16 MiB', 'Total size of the buffers of all shared transfers.'),
  spillDir: streamer(
    path('folder'),
    '{state_dir}/spill',
    'Folder of the spill file. Bytes for clients that are slower than their feed wait in it if no copy is kept, so that the connection to the feed is free for others. The file has no name while it is used, so nothing of it remains after the process.',
  ),
  spillLimit: streamer(
    size,
    '1 GiB',
    'Largest size of the spill file. If it is full, a transfer is as slow as its client, and occupies its connection to the feed. 0: no spill file.',
  ),
  finishBelow: streamer(
    size,
    '1 MiB',
    'If the last client of a transfer leaves and at most this much of the content is missing, the transfer continues, so that the next attempt of the client finds it: as a copy if copies are kept, otherwise for a minute in the spill file. 0: it ends with its client.',
  ),
  maxClientConnections: streamer(
    integer(0, 1_000_000),
    '8000',
    'Connections of clients that are open at a time. When one more arrives, the one that has been idle for longest is closed. One that has sent no request yet is idle, too. If none is idle, the new one is answered with 503 and Retry-After. 0: only the limit of open files applies.',
  ),
  maxTransfers: streamer(
    integer(0, 1_000_000),
    '2000',
    'Requests that are answered at a time, except for those that are answered from disk: from a saved copy, or with bytes that wait for a slow client. Further ones get 503 and Retry-After. 0: only the limit of open files applies.',
  ),
  maxTransfersPerClient: streamer(
    integer(0, 1_000_000),
    '1500',
    'The same limit for one client address, so that others keep a part of `max_transfers`; further requests get 429 and Retry-After. Clients behind a proxy share its address, unless it is one of `trusted_proxies`. 0: no limit.',
  ),
  requestsPerConnection: streamer(
    integer(0, 1_000_000),
    '1000',
    'Requests that one connection may carry, one after the other. The response to the last one has `Connection: close`. 0: no limit.',
  ),
  requestTimeout: streamer(
    wait(1),
    '30',
    'A request must arrive completely within this time, the first one of a connection counted from the start of the connection; otherwise it is answered with 408. It does not limit responses.',
  ),
  keepAliveTimeout: streamer(
    wait(1),
    '125',
    'A client connection that is idle for this long is closed. It should be longer than the idle timeout of proxies in front, so that they close first.',
  ),
  maxTargetLength: streamer(
    sizeWithin(256, 1_048_576),
    '8 KiB',
    'Longest target (path and query) of a request. A longer one is answered with 414.',
  ),
  maxHeaderSize: streamer(
    sizeWithin(1024, 1_048_576),
    '16 KiB',
    'Largest head of a request: its target, in which a byte beyond ASCII counts three times, and the names and values of its header fields. A larger one is answered with 431.',
  ),
  sizeLimit: streamer(size, '0', 'Content that is larger is refused. 0: no limit.'),
  cooldown: streamer(
    wait(0),
    '5',
    'A source that failed is tried last for about this long, and for twice as long after each further failure in a row.',
  ),
  cooldownLimit: streamer(wait(0), '300', 'Longest time for which a source that failed is tried last.'),
  hedge: streamer(
    choice('on', 'off'),
    'off',
    'Whether a second source is asked if the head of the first takes longer than 95 of 100 of its recent ones. The slower of the two is dropped before its body.',
  ),
  signedUrls: streamer(
    choice('off', 'auth', 'on'),
    'off',
    'Whether the streamer checks signatures of URLs: `off` leaves them to the proxy in front, `auth` checks those that a proxy sends to `/auth` on `admin_port`, `on` checks those of every request as well. See docs/how-to/signed-urls.md.',
  ),
  rsaPub: streamer(
    keyFile,
    '/etc/pki/pulp/rsa_pub.key',
    'PEM file of the public key that signatures of URLs are verified with. It is read at the start and by each reload, unless `signed_urls` is `off`.',
    authentication('rsa_pub'),
  ),
  rsaKey: streamer(
    keyFile,
    '/etc/pki/pulp/rsa.key',
    'PEM file of the private key that the command `sign-url` signs with. Nothing else reads it.',
    authentication('rsa_key'),
  ),
  redirectPath: {
    ...streamer(
      urlPrefix,
      '',
      'Prefix that Pulp adds to the storage path when it redirects clients. It is removed from paths that begin with it. If it is not set, it is `/streamer/`, as for Pulp, if a file has a section `[lazy]` or `[database]`, or if `signed_urls` is set.',
      lazy('redirect_path'),
    ),
    implied: { text: '/streamer/', bySections: ['database', 'lazy'], bySetting: 'signedUrls' },
  },
  trustedProxies: streamer(
    networks,
    '',
    'Proxies that may state the address of their client: comma-separated addresses and networks in CIDR notation. Every other peer is a client itself. Each proxy must set `forwarded_header` itself, and must not pass it on from its client.',
  ),
  forwardedHeader: streamer(
    choice('X-Forwarded-For', 'Forwarded', 'X-Real-IP'),
    'X-Forwarded-For',
    'The header in which trusted proxies state the address of their client. The other ones are ignored.',
  ),
  publicUrl: streamer(
    webUrl,
    '',
    'The URL at which clients find the paths of the catalog, usually that of the proxy in front. It is written into the files that make machines clients (docs/how-to/add-clients.md). If it is not set, it is the one by which a client asks: its `Host`, or what a trusted proxy states in `X-Forwarded-Host` and `X-Forwarded-Proto`.',
  ),
  proxy: streamer(
    boolean,
    'no',
    'Whether clients may use the streamer as their HTTP proxy, as `Acquire::http::Proxy` of apt and `proxy` of dnf do: they get the hosts of `proxy_hosts` and `follow_hosts`, and no others.',
  ),
  proxyHosts: streamer(
    mappedHosts,
    '',
    'Where the catalog has the files of a host: comma-separated, `HOST=/PREFIX` or `HOST/PATH=/PREFIX`. Several mirrors of one distribution can have the same prefix: then each file is fetched and kept once. Needs `proxy: yes`.',
  ),
  followHosts: streamer(
    followedHosts,
    '',
    'Hosts whose repositories are followed as soon as a client asks for them: `/HOST/PATH`, with or without `proxy`. A `dists/` folder makes a Debian repository, `repodata/repomd.xml` one of yum; other files are fetched as they are. With `https://` before it, the streamer asks the host with TLS.',
  ),
  proxyConnect: streamer(
    tunnelledHosts,
    '',
    'Servers that clients may reach through the proxy with CONNECT, for HTTPS: comma-separated `HOST:PORT`. What passes is encrypted, so that nothing of it is kept or verified. Needs `proxy: yes`.',
  ),
  proxyClients: streamer(
    networks,
    '127.0.0.0/8, ::1, 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 169.254.0.0/16, fc00::/7, fe80::/10',
    'Clients that may use the streamer as their proxy: comma-separated addresses and networks in CIDR notation.',
  ),
  sendfileProxies: streamer(
    networks,
    '',
    'Proxies that send saved copies and files of alternate sources themselves if they ask for it (docs/how-to/nginx.md): comma-separated addresses and networks in CIDR notation. The streamer does not see the bytes that they send, so it proves nothing about them. No cache may be between such a proxy and the streamer.',
  ),
  stopTimeout: streamer(
    wait(0),
    '30',
    'After SIGTERM, running transfers may continue for this long before they are aborted.',
  ),
} as const satisfies Table;

/** The validated settings. Durations are in milliseconds, sizes in bytes. */
export type Settings = ValuesOf<typeof SETTINGS>;
export type SettingName = keyof Settings;

/** `cacheTimeout` → `cache_timeout`, as in files. */
export const keyOf = (name: string): string => {
  const key = keys.get(name) ?? name.replace(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`);
  keys.set(name, key);
  return key;
};
/** Each is asked for many times: for every file, and for the environment. */
const keys = new Map<string, string>();
export const variableOf = (name: string): string => `PULP_STREAMER_${keyOf(name).toUpperCase()}`;
export const flagOf = (name: string): string => `--${keyOf(name).replaceAll('_', '-')}`;

/** The spellings of a setting in files, the proper one first. */
export const spellingsOf = (name: string, { section, aliases }: Setting): readonly Spelling[] => [
  { section, key: keyOf(name) },
  ...aliases,
];

/** A command-line flag: `name` as in {@link Settings}, `flags` as commander declares it. */
export interface Flag {
  readonly name: string;
  readonly flags: string;
  readonly description: string;
  /** As an operator would write it; `{name}` stands for another setting. */
  readonly default: string;
}

/**
 * The flags of a table, e.g. `--port <number>`. They are texts without defaults: a default must not
 * override files and environment.
 */
export const flagsOf = (table: Table = SETTINGS): readonly Flag[] =>
  Object.entries(table).map(([name, { kind, meaning, default: byDefault }]) => ({
    name,
    flags: `${flagOf(name)} <${kind.placeholder}>`,
    description: meaning.replaceAll('`', ''),
    default: byDefault,
  }));
