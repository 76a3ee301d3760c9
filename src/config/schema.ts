import {
  age,
  boolean,
  choice,
  integer,
  jsonArray,
  jsonObject,
  type Kind,
  list,
  loginMethod,
  mongodbUrl,
  networks,
  optional,
  path,
  size,
  sizeWithin,
  urlPrefix,
  wait,
  words,
} from './kinds.ts';

export interface Spelling {
  readonly section: string;
  readonly key: string;
}

export interface Setting<T = unknown> {
  readonly section: string;
  /** Other places that it may be written at: how Pulp's own files spell it. */
  readonly aliases: readonly Spelling[];
  readonly kind: Kind<T>;
  /** As an operator would write it; `{name}` stands for the value of a setting further up. */
  readonly default: string;
  /** What it is where nobody says, but a file has a section, or somebody gives another setting a value that is not empty. */
  readonly implied?: { readonly text: string; readonly bySection: string; readonly bySetting: string };
  /** For operators: one or two sentences. */
  readonly meaning: string;
  /** Its value is shown nowhere. */
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

/** Every setting of the streamer: the one table from which validation, defaults, flags, printing and documentation follow. */
export const SETTINGS = {
  port: streamer(
    integer(0, 65_535),
    '8751',
    'TCP port that the streamer listens on; 0 takes any free one.',
    lazy('streamer_port'),
  ),
  interfaces: streamer(
    list('names'),
    'localhost',
    'Where to listen: comma-separated network interface names (`lo`), host names, IPv4 and IPv6 addresses. Empty means all interfaces.',
    lazy('streamer_interface'),
  ),
  adminPort: streamer(
    integer(0, 65_535),
    '0',
    'TCP port, on loopback, that answers `/livez` and `/readyz` for supervisors, and `/auth` for proxies (`signed_urls`); 0: none.',
  ),
  cacheTimeout: streamer(
    age,
    '86400',
    'How long caches may keep a response: `max-age` and `s-maxage` of the Cache-Control header.',
    lazy('streamer_cache_timeout'),
  ),
  legacyErrors: streamer(
    boolean,
    'no',
    'Whether 404 is the answer whatever is wrong with the sources, as in Pulp 2, instead of 502, 503 or 504 by cause (docs/reference/errors.md). No error is ever to be cached.',
  ),
  via: streamer(boolean, 'yes', 'Whether responses name the streamer in `Via`, after those that the feed names.'),
  cacheStatus: streamer(
    boolean,
    'yes',
    'Whether responses tell in `Cache-Status` (RFC 9211) that they come from a saved copy, or from which kind of source.',
  ),
  proxyStatus: streamer(
    boolean,
    'yes',
    'Whether errors tell their cause in `Proxy-Status` (RFC 9209): never where sources are, nor anything secret.',
  ),
  requestId: streamer(
    boolean,
    'yes',
    'Whether responses tell the request’s id in `X-Request-Id`, as it stands in the log; a request may bring its own, of at most 128 letters, digits and any of `_.+/=:~@-`.',
  ),
  logLevel: streamer(
    choice('CRITICAL', 'ERROR', 'WARNING', 'INFO', 'DEBUG', 'NOTSET'),
    'INFO',
    'The least important messages that are logged; NOTSET logs everything.',
  ),
  stateDir: streamer(
    path('folder'),
    '/var/lib/pulp-streamer',
    'Folder that the streamer keeps its own files in. Nobody but its owner may use it (mode 0700, files 0600): SECURITY.md.',
  ),
  catalog: streamer(
    path('file'),
    '{state_dir}/catalog.db',
    'File of the embedded catalog. It holds passwords and private keys of importers, so it is its owner’s alone (mode 0600).',
  ),
  catalogType: {
    ...streamer(
      choice('sqlite', 'mongodb'),
      'sqlite',
      'Where entries are looked up: in the embedded catalog, or in the database of Pulp 2. Where nobody says, it is `mongodb` if there is a `mongodb_url`, or a `[database]` section as in Pulp’s own server.conf, even an empty one.',
    ),
    implied: { text: 'mongodb', bySection: 'database', bySetting: 'mongodbUrl' },
  },
  mongodbUrl: {
    ...streamer(
      mongodbUrl,
      '',
      'Connection string of Pulp’s database. Where it is given, of the settings `database_…` only `database_name` counts, and that only where the URL names no database.',
    ),
    secret: true,
  },
  mongodbTimeout: streamer(
    wait(1),
    '5',
    'MongoDB must answer within this time, connecting included; past it, a request is answered with 503 and Retry-After.',
  ),
  databaseName: streamer(words('name'), 'pulp_database', 'Name of Pulp’s database.', database('name')),
  databaseSeeds: streamer(
    list('hosts'),
    'localhost:27017',
    'Servers of MongoDB, each with its port; of a replica set, some of its members.',
    database('seeds'),
  ),
  databaseUsername: streamer(
    words('name'),
    '',
    'User of MongoDB, authenticated against Pulp’s database. Counts only together with the password.',
    database('username'),
  ),
  databasePassword: {
    ...streamer(words('text'), '', 'The user’s password.', database('password')),
    secret: true,
  },
  databaseReplicaSet: streamer(
    words('name'),
    '',
    'Name of the replica set. Without it, a single seed is taken for the server itself.',
    database('replica_set'),
  ),
  databaseSsl: streamer(boolean, 'no', 'Whether MongoDB is spoken to over TLS.', database('ssl')),
  databaseSslKeyfile: streamer(
    optional(path('file')),
    '',
    'PEM file of the private key that we show MongoDB; empty where it is in the certificate’s file.',
    database('ssl_keyfile'),
  ),
  databaseSslCertfile: streamer(
    optional(path('file')),
    '',
    'PEM file of the client certificate that we show MongoDB.',
    database('ssl_certfile'),
  ),
  databaseVerifySsl: streamer(
    boolean,
    'yes',
    'Whether the certificate of MongoDB is verified.',
    database('verify_ssl'),
  ),
  databaseCaPath: streamer(
    optional(path('file')),
    '',
    'PEM file of the authorities that the certificate of MongoDB may come from. Empty means `/etc/pki/tls/certs/ca-bundle.crt` where that exists, as in Pulp, else the authorities that Node knows.',
    database('ca_path'),
  ),
  storageDir: streamer(
    path('folder'),
    '/var/lib/pulp',
    'Pulp’s folder: certificates of importers lie below it.',
    server('storage_dir'),
  ),
  pluginConfigDir: streamer(
    path('folder'),
    '/etc/pulp/server/plugins.conf.d',
    'Folder of what Pulp’s administrators set for all importers of a type: `{importer_type_id}.json`.',
  ),
  dispatch: streamer(
    choice('save', 'celery', 'deferred', 'none'),
    'save',
    'What is done with content after a whole and right transfer: `save` keeps a copy and serves it from there next time, `celery` queues a task that saves the unit, `deferred` notes it in Pulp’s database (`deferred_download`), `none` does nothing. See docs/reference/save-tasks.md.',
  ),
  saveDir: streamer(path('folder'), '{state_dir}/saved', 'Folder that saved copies are kept in.'),
  saveLimit: streamer(
    size,
    '0',
    'What saved copies may take together; past it those go that were not used for the longest time. Content that is larger is not kept. 0: no limit.',
  ),
  savePartial: streamer(
    boolean,
    'no',
    'Whether a range that was served asks for its unit to be saved as well: the whole is then fetched by whoever saves it.',
  ),
  saveAbandoned: streamer(
    boolean,
    'no',
    'Whether a transfer that its client left before the end asks for its unit to be saved as well.',
  ),
  brokerUrl: {
    ...streamer(
      words('url'),
      'amqp://guest@localhost//',
      'Message broker that tasks are sent through: `amqp://USER:PASSWORD@HOST:PORT/VHOST`, or `amqps://` for TLS; several, each to fall back on, are separated by `;`. RabbitMQ; Qpid’s AMQP 1.0 (`qpid://`) is not spoken.',
      tasks('broker_url'),
    ),
    secret: true,
  },
  brokerTls: streamer(
    boolean,
    'no',
    'Whether the broker is spoken to over TLS, whatever its URL says.',
    tasks('celery_require_ssl'),
  ),
  brokerCacert: streamer(
    optional(path('file')),
    '',
    'PEM file of the authorities that the broker’s certificate may come from; empty: those that Node knows. The certificate must be for the host in the URL.',
    tasks('cacert'),
  ),
  brokerKeyfile: streamer(
    optional(path('file')),
    '',
    'PEM file of the private key that we show the broker.',
    tasks('keyfile'),
  ),
  brokerCertfile: streamer(
    optional(path('file')),
    '',
    'PEM file of the client certificate that we show the broker.',
    tasks('certfile'),
  ),
  brokerLogin: streamer(
    loginMethod,
    '',
    'How to log in to the broker: `PLAIN` (also where it is empty), `AMQPLAIN`, or `EXTERNAL`: as whom the client certificate says.',
    tasks('login_method'),
  ),
  brokerDeclare: streamer(
    choice('durable', 'passive'),
    'durable',
    'What is done about a queue before its first task: `durable` makes it where it is missing, as Celery does; `passive` only looks whether it is there.',
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
    'Name of the task that saves a unit. A worker must have registered it: a stock Pulp from 2.8 on has none of the kind, and would leave it waiting.',
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
    'Whether, with `deferred`, Pulp is asked to look into its records soon, at most once a minute by all streamers together; otherwise it does so every `download_interval`.',
  ),
  nudgeTask: streamer(
    words('name'),
    'pulp.server.controllers.repository.queue_download_deferred',
    'Name of the task that does it; it goes to `task_queue`.',
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
  headTimeout: streamer(wait(1), '27', 'A feed must send the head of its response within this time.'),
  readTimeout: streamer(
    wait(1),
    '27',
    'A source that sends nothing for this long, while it is being read, has stalled.',
  ),
  idleTimeout: streamer(wait(1), '15', 'A feed connection that is not used for this long is closed.'),
  maxRedirects: streamer(integer(0, 100), '10', 'Redirects of a feed that are followed for one attempt.'),
  maxConnections: streamer(
    integer(1, 65_535),
    '1000',
    'Connections that are open at a time to one feed with the same credentials; further requests wait for one. A slow client holds one as long as it takes.',
  ),
  verifyWholeBelow: streamer(
    size,
    '1 MiB',
    'Files up to this size are verified whole before the head of the response is sent, so that a bad one can still be had from another source.',
  ),
  attempts: streamer(integer(1, 1000), '8', 'Tries that one request is worth, over all its sources.'),
  attemptsPerCandidate: streamer(integer(1, 1000), '3', 'Tries that one source is worth within a request.'),
  retryWait: streamer(
    wait(0),
    '0.5',
    'Pause before a source is tried again for the first time; it doubles with every further one, with some jitter.',
  ),
  retryWaitLimit: streamer(wait(0), '10', 'The pause before a source is tried again never grows beyond this.'),
  minSpeed: streamer(
    size,
    '0',
    'Bytes per second that a source has to bring; a slower one is replaced as if it had failed. 0: any speed will do.',
  ),
  minSpeedWindow: streamer(wait(1), '30', 'The time over which `min_speed` is measured.'),
  clientTimeout: streamer(
    wait(0),
    '600',
    'A client that takes nothing for this long, while there is something for it, is cut. 0: never.',
  ),
  coalesceWindow: streamer(
    size,
    '8 MiB',
    'Clients that ask for the same at the same time share one transfer. So much of it is kept for those who are slower than others; who is further behind goes on with a transfer of his own. 0: each client has his own.',
  ),
  coalesceMemory: streamer(size, '16 MiB', 'What is kept of all such transfers together.'),
  maxClientConnections: streamer(
    integer(0, 1_000_000),
    '8000',
    'Connections of clients that are open at a time. Where one more comes, the one that carries no request for longest is closed to make room; where there is none, the newcomer is answered with 503 and Retry-After. 0: no limit.',
  ),
  maxTransfers: streamer(
    integer(0, 1_000_000),
    '2000',
    'Requests that are being answered at a time; further ones get 503 and Retry-After. 0: no limit.',
  ),
  maxTransfersPerClient: streamer(
    integer(0, 1_000_000),
    '0',
    'The same for one client’s address; further ones get 429 and Retry-After. Behind a proxy all have the proxy’s address, unless it is one that may tell theirs. 0: no limit.',
  ),
  requestsPerConnection: streamer(
    integer(0, 1_000_000),
    '1000',
    'Requests that one connection carries, one after the other; the last one’s response says `Connection: close`. 0: no limit.',
  ),
  requestTimeout: streamer(
    wait(1),
    '30',
    'A request must have come whole within this time, or is answered with 408; so is a connection’s first one, counted from its beginning. Responses may take as long as they need.',
  ),
  keepAliveTimeout: streamer(
    wait(1),
    '125',
    'A connection of a client that carries no request for this long is closed. It should be longer than proxies keep theirs to us, since they know when they are done.',
  ),
  maxTargetLength: streamer(
    sizeWithin(256, 1_048_576),
    '8 KiB',
    'Length of a request’s target (path and query); a longer one is answered with 414.',
  ),
  maxHeaderSize: streamer(
    sizeWithin(1024, 1_048_576),
    '16 KiB',
    'Size of a request’s head: its target, and the names and values of its header fields; a larger one is answered with 431.',
  ),
  sizeLimit: streamer(size, '0', 'Content that is larger is refused. 0: no limit.'),
  cooldown: streamer(
    wait(0),
    '5',
    'A source that failed is tried last for about this long; twice as long after each further failure in a row.',
  ),
  cooldownLimit: streamer(wait(0), '300', 'A source cools down no longer than this.'),
  hedge: streamer(
    choice('on', 'off'),
    'off',
    'Whether a second source is asked for its head where the first one’s takes longer than 95 of 100 of its recent ones; the slower of the two is left before its body.',
  ),
  signedUrls: streamer(
    choice('off', 'auth', 'on'),
    'off',
    'Who checks the signatures of URLs: with `off` the proxy in front, by its own means, or nobody; with `auth` the proxy, which asks `/auth` on `admin_port`; with `on` the streamer itself, for every request, and on `/auth` as well. See docs/how-to/signed-urls.md.',
  ),
  rsaPub: streamer(
    path('file'),
    '/etc/pki/pulp/rsa_pub.key',
    'PEM file of the public key that signatures of URLs are verified with. It is read at the start and on SIGHUP, where `signed_urls` is not `off`.',
    authentication('rsa_pub'),
  ),
  rsaKey: streamer(
    path('file'),
    '/etc/pki/pulp/rsa.key',
    'PEM file of the private key that the command `sign-url` signs with. Nothing else reads it.',
    authentication('rsa_key'),
  ),
  redirectPath: {
    ...streamer(
      urlPrefix,
      '',
      'What Pulp puts before the storage path where it redirects clients; it is removed from paths that begin with it. Where nobody says, it is `/streamer/` if a file has a section `[lazy]` or somebody sets `signed_urls`.',
      lazy('redirect_path'),
    ),
    implied: { text: '/streamer/', bySection: 'lazy', bySetting: 'signedUrls' },
  },
  trustedProxies: streamer(
    networks,
    '',
    'Proxies whose word counts about who their client is: comma-separated addresses and networks in CIDR notation. Everybody else is a client. Each must set `forwarded_header` itself, never just pass it on.',
  ),
  forwardedHeader: streamer(
    choice('X-Forwarded-For', 'Forwarded', 'X-Real-IP'),
    'X-Forwarded-For',
    'The header in which trusted proxies say who their client is; the others are not looked at.',
  ),
  stopTimeout: streamer(wait(0), '30', 'After SIGTERM, running transfers may go on for this long before they are cut.'),
} as const satisfies Table;

/** The validated settings. Durations are in milliseconds, sizes in bytes. */
export type Settings = ValuesOf<typeof SETTINGS>;
export type SettingName = keyof Settings;

/** `cacheTimeout` → `cache_timeout`, as in files. */
export const keyOf = (name: string): string => name.replace(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`);
export const variableOf = (name: string): string => `PULP_STREAMER_${keyOf(name).toUpperCase()}`;
export const flagOf = (name: string): string => `--${keyOf(name).replaceAll('_', '-')}`;

/** Every place in a file that a setting may be written at, the proper one first. */
export const spellingsOf = (name: string, { section, aliases }: Setting): readonly Spelling[] => [
  { section, key: keyOf(name) },
  ...aliases,
];

/** A command-line flag: `name` is what it is called in {@link Settings} (and by commander), `flags` how it is declared. */
export interface Flag {
  readonly name: string;
  readonly flags: string;
  readonly description: string;
  /** As it would be written; `{name}` stands for another setting. */
  readonly default: string;
}

/** The flags of a table, e.g. `--port <number>`. They take texts and have no defaults of their own: those belong below files and environment. */
export const flagsOf = (table: Table = SETTINGS): readonly Flag[] =>
  Object.entries(table).map(([name, { kind, meaning, default: byDefault }]) => ({
    name,
    flags: `${flagOf(name)} <${kind.placeholder}>`,
    description: meaning.replaceAll('`', ''),
    default: byDefault,
  }));
