import { age, choice, integer, type Kind, list, path, size, wait } from './kinds.ts';

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
  cacheTimeout: streamer(
    age,
    '86400',
    'How long caches may keep a response: `max-age` and `s-maxage` of the Cache-Control header.',
    lazy('streamer_cache_timeout'),
  ),
  logLevel: streamer(
    choice('CRITICAL', 'ERROR', 'WARNING', 'INFO', 'DEBUG', 'NOTSET'),
    'INFO',
    'The least important messages that are logged; NOTSET logs everything.',
  ),
  stateDir: streamer(path('folder'), '/var/lib/pulp-streamer', 'Folder that the streamer keeps its own files in.'),
  catalog: streamer(path('file'), '{state_dir}/catalog.db', 'File of the embedded catalog.'),
  dispatch: streamer(
    choice('save', 'none'),
    'save',
    'What is done with content after a whole and right transfer: `save` keeps a copy and serves it from there next time, `none` does nothing.',
  ),
  saveDir: streamer(path('folder'), '{state_dir}/saved', 'Folder that saved copies are kept in.'),
  contentSourcesDir: streamer(
    path('folder'),
    '/etc/pulp/content/sources/conf.d',
    'Folder of the descriptors (`*.conf`) of alternate content sources.',
  ),
  connectTimeout: streamer(
    wait(0.001),
    '6.05',
    'A feed must accept a connection, TLS handshake included, within this time.',
  ),
  headTimeout: streamer(wait(0.001), '27', 'A feed must send the head of its response within this time.'),
  readTimeout: streamer(
    wait(0.001),
    '27',
    'A source that sends nothing for this long, while it is being read, has stalled.',
  ),
  idleTimeout: streamer(wait(0.001), '15', 'A feed connection that is not used for this long is closed.'),
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
  minSpeedWindow: streamer(wait(0.001), '30', 'The time over which `min_speed` is measured.'),
  clientTimeout: streamer(
    wait(0),
    '600',
    'A client that takes nothing for this long, while there is something for it, is cut. 0: never.',
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
  stopTimeout: streamer(wait(0), '30', 'After SIGTERM, running transfers may go on for this long before they are cut.'),
} as const satisfies Table;

/** The validated settings. Durations are in seconds, sizes in bytes. */
export type Settings = ValuesOf<typeof SETTINGS>;
export type SettingName = keyof Settings;

/** What other parts of Pulp keep in the sections that settings of the streamer are found in. */
export const FOREIGN: readonly Spelling[] = [
  'redirect_host',
  'redirect_port',
  'redirect_path',
  'https_retrieval',
  'download_interval',
  'download_concurrency',
  'enabled',
].map(lazy);

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
