import { createHash } from 'node:crypto';
import { Binary, BSONRegExp, type Document, Double, Int32, Long, ObjectId, Timestamp } from 'mongodb';

/** What every feed has under every name. */
export const CONTENT = Buffer.alloc(20_000, 'bear');
const digest = (algorithm: string): string => createHash(algorithm).update(CONTENT).digest('hex');
export const SHA256 = digest('sha256');

/**
 * What is unusual about the documents of one unit. Fields replace those that Pulp usually writes;
 * `undefined`: the document does not have the field. `null` for a document: it is not there.
 */
export interface Shape {
  readonly what: string;
  /** Default: `rpm`. */
  readonly type?: string;
  /** Below a folder of its own. Default: `bear.rpm`. */
  readonly file?: string;
  /** In a URL `feed:` stands for the feed, and `offered:` for the alternate source's file. */
  readonly entry?: Document;
  /** Entries that Pulp wrote before, from the oldest on. Their URL is usually `/older.rpm`, which nobody is to ask for. */
  readonly older?: readonly Document[];
  readonly unit?: Document | null;
  readonly importer?: Document | null;
  /** What an alternate source, which has the file, offers. */
  readonly offer?: Document;
  /** Default: the file, from the feed, and a record. */
  readonly becomes?: {
    readonly status?: number;
    /** `nobody`: neither the feed nor a file is read. */
    readonly from?: 'feed' | 'disk' | 'nobody';
    readonly record?: boolean;
    /** Header fields that the feed is sent. */
    readonly asks?: Readonly<Record<string, string>>;
    /** What the log has to say of it. */
    readonly reason?: RegExp;
  };
}

/** Values of types that Pulp's models have no place for. */
const OTHER_TYPES: Document = {
  a_binary: new Binary(Buffer.from([0, 255])),
  a_date: new Date(0),
  a_regular_expression: new BSONRegExp('^a'),
  a_timestamp: new Timestamp({ t: 1, i: 1 }),
  an_id: new ObjectId(),
  a_list: [1, null, { three: 3 }],
};

const RPM_KEY: Document = {
  name: 'bear',
  epoch: '0',
  version: '4.1',
  release: '1',
  arch: 'noarch',
  checksumtype: 'sha256',
  checksum: SHA256,
};

/** The fields of a unit's key, by type; of types that no alternate source offers, some fields. The first is a text. */
export const UNIT_KEYS: Readonly<Record<string, Document>> = {
  rpm: RPM_KEY,
  srpm: { ...RPM_KEY, arch: 'src' },
  drpm: {
    filename: 'drpms/bear.drpm',
    epoch: '0',
    version: '4.1',
    release: '1',
    checksumtype: 'sha256',
    checksum: SHA256,
  },
  distribution: { distribution_id: 'ks-zoo', family: 'Zoo', variant: 'Server', version: '7.0', arch: 'x86_64' },
  iso: { name: 'bear.iso', checksum: SHA256, size: new Int32(CONTENT.length) },
  docker_blob: { digest: `sha256:${SHA256}` },
  puppet_module: { author: 'zoo', name: 'bear', version: '4.1.0' },
  python_package: { filename: 'bear-4.1.tar.gz' },
};

/** Unix seconds. */
export const LATER = Math.floor(Date.now() / 1000) + 3_600;

const entry = (what: string, fields: Document): Shape => ({ what: `an entry with ${what}`, entry: fields });
const algorithm = (name: string, of: string = name): Shape =>
  entry(`a checksum of ${name}`, { checksum_algorithm: name, checksum: digest(of) });
const importer = (what: string, fields: Document): Shape => ({ what: `an importer with ${what}`, importer: fields });
const config = (what: string, fields: Document): Shape => importer(what, { config: fields });
const unit = (what: string, fields: Document): Shape => ({ what: `a unit with ${what}`, unit: fields });
const offer = (what: string, fields: Document, more: Partial<Shape> = {}): Shape => ({
  what: `an offer with ${what}`,
  becomes: { from: 'disk' },
  ...more,
  offer: fields,
});

export const SHAPES: readonly Shape[] = [
  { what: 'nothing unusual' },

  entry('a revision that is a long', { revision: Long.fromNumber(1) }),
  entry('a revision that is a long of more than 32 bits', { revision: Long.fromString('8589934592') }),
  entry('a revision that is a double', { revision: new Double(1) }),
  entry('null for its revision', { revision: null }),
  entry('no revision', { revision: undefined }),
  entry('revision 0', { revision: new Int32(0) }),
  {
    ...entry('two revisions, of which the newer counts', { revision: new Int32(2) }),
    older: [{ revision: new Int32(1) }],
  },
  {
    ...entry('two revisions of different types', { revision: new Double(2) }),
    older: [{ revision: Long.fromNumber(1) }],
  },
  { ...entry('a revision counted anew', { revision: new Int32(1) }), older: [{ revision: new Int32(9) }] },

  entry('neither checksum nor algorithm', { checksum: undefined, checksum_algorithm: undefined }),
  entry('null for both', { checksum: null, checksum_algorithm: null }),
  entry('empty texts for both', { checksum: '', checksum_algorithm: '' }),
  entry('a checksum alone', { checksum_algorithm: undefined }),
  entry('a checksum and null', { checksum_algorithm: null }),
  entry('an algorithm alone', { checksum: undefined }),
  entry('a checksum in upper case', { checksum: SHA256.toUpperCase(), checksum_algorithm: 'SHA256' }),
  ...['md5', 'sha1', 'sha224', 'sha384', 'sha512'].map((name) => algorithm(name)),
  algorithm('sha', 'sha1'),
  {
    ...entry('a checksum of another file', { checksum: '0'.repeat(64) }),
    becomes: { status: 502, record: false, reason: /sha256/ },
  },

  entry('no data', { data: undefined }),
  entry('null for data', { data: null }),
  entry('a size that is a long', { data: { size: Long.fromNumber(CONTENT.length) } }),
  entry('a size that is a double', { data: { size: new Double(CONTENT.length) } }),
  entry('null for a size', { data: { size: null } }),
  entry('data of any kind', { data: { '': 1, ключ: OTHER_TYPES } }),

  entry('the class of a model', { _cls: 'LazyCatalogEntry' }),
  entry('no namespace', { _ns: undefined }),
  entry('fields of all types that nobody knows', OTHER_TYPES),
  entry('a text for its id', { _id: 'restored from a backup' }),
  entry('a unit id that is no UUID', { unit_id: 'bear: 4.1 / Bär' }),
  entry('a unit id in upper case', { unit_id: 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11' }),
  { what: 'an importer’s id in upper case', entry: { importer_id: 'ABCDEFABCDEFABCDEFABCDEF' } },
  {
    ...entry('null for a URL', { url: null }),
    becomes: { status: 502, from: 'nobody', record: false, reason: /lazy_content_catalog [0-9a-f]{24}: url: / },
  },
  {
    what: 'a broken entry that is newer than the others',
    entry: { url: new Int32(7), revision: new Int32(2) },
    older: [{ url: 'feed:/bear.rpm' }],
  },

  { what: 'a path with letters of all kinds', file: 'Bär-медведь-熊-🐻.RPM' },
  { what: 'a path of four thousand bytes', file: `${'b/'.repeat(1_900)}bear.rpm` },
  { what: 'a URL with a query', entry: { url: 'feed:/bear.rpm?token=a%2Fb&c=d' } },
  { what: 'a URL with a fragment', entry: { url: 'feed:/bear.rpm#fragment' } },
  { what: 'a URL with letters of all kinds', entry: { url: 'feed:/Bär/熊/bear.rpm' } },
  { what: 'a URL with spaces', entry: { url: 'feed:/a bear/bear.rpm' } },

  { what: 'a URL of a file', entry: { url: 'offered:' }, becomes: { from: 'disk' } },

  { what: 'a source package', type: 'srpm' },
  { what: 'a delta package', type: 'drpm' },
  { what: 'a file of a distribution', type: 'distribution', file: 'images/boot.iso' },
  { what: 'a file', type: 'iso' },
  ...['docker_blob', 'puppet_module', 'python_package'].map((type) => ({ what: `a unit of type ${type}`, type })),

  unit('the class of a model', { _cls: 'RPM', _storage_path: null, _last_updated: new Double(1.5e9) }),
  unit('fields of all types that nobody knows', OTHER_TYPES),
  unit('null for a part of its key', { epoch: null }),
  unit('no epoch', { epoch: undefined }),
  unit('a number for its epoch', { epoch: new Int32(0) }),
  unit('letters of all kinds in its key', { name: 'Bär-медведь-熊-🐻', release: '1%{?dist}' }),

  {
    what: 'an entry whose unit is gone',
    unit: null,
    becomes: { record: false },
  },
  {
    what: 'an entry of a type that has no collection',
    type: 'ostree',
    unit: null,
    becomes: { record: false },
  },
  {
    what: 'a newer entry whose unit is gone',
    older: [{ _id: new ObjectId('f'.repeat(24)), unit_id: 'gone', revision: new Int32(2) }],
  },

  importer('null for its configuration', { config: null }),
  importer('no configuration', { config: undefined }),
  importer('the class of a model', { _cls: 'Importer', last_sync: new Date(0), scratchpad: OTHER_TYPES }),
  importer('a repository’s name of all kinds', {
    repo_id: 'zoo – Bär (熊)',
    config: { feed: 'http://localhost/' },
  }),
  importer('another type', { importer_type_id: 'Some-Other.importer_2' }),
  config('longs', { max_downloads: Long.fromNumber(4), max_speed: Long.fromString('8589934592') }),
  config('doubles', { max_downloads: new Double(4), max_speed: new Double(1e9), connect_timeout: new Double(6.05) }),
  config('texts for numbers', {
    max_downloads: '4',
    max_speed: '1000000.5',
    read_timeout: '27',
    connect_timeout: ' 6.05 ',
  }),
  config('texts for booleans', { ssl_validation: 'True' }),
  config('null for everything', {
    ...Object.fromEntries(['feed', 'ssl_ca_cert', 'ssl_client_cert', 'ssl_client_key'].map((key) => [key, null])),
    ...Object.fromEntries(['ssl_validation', 'proxy_host', 'proxy_port', 'max_downloads'].map((key) => [key, null])),
  }),
  config('keys that nobody knows', { download_policy: 'on_demand', type_skip_list: ['srpm'], ...OTHER_TYPES }),
  config('half of each pair', {
    proxy_host: 'proxy.invalid',
    proxy_password: 'secret',
    basic_auth_username: 'bear',
    ssl_client_cert: 'nonsense',
  }),
  {
    ...config('a password with letters of all kinds', { basic_auth_username: 'Bär', basic_auth_password: 'p:ä%熊' }),
    becomes: { asks: { authorization: `Basic ${Buffer.from('Bär:p:ä%熊').toString('base64')}` } },
  },
  {
    what: 'no importer',
    importer: null,
    becomes: { status: 502, from: 'nobody', record: false, reason: /^importer [0-9a-f]{24} is not in the catalog$/ },
  },

  offer('an expiration that is an int', { expiration: new Int32(LATER) }),
  offer('an expiration that is a long', { expiration: Long.fromNumber(LATER) }),
  offer('an expiration that is a double', { expiration: new Double(LATER + 0.5) }),
  offer('the class of a model', { _cls: 'ContentCatalog', ...OTHER_TYPES }),
  offer('a key with a long', {}, { type: 'iso', unit: { size: Long.fromNumber(CONTENT.length) } }),
  offer('a key with letters of all kinds', {}, { unit: { name: 'Bär "4" \\ 熊 🐻 \u007f\u2028' } }),
  offer('an expiration that is over', { expiration: new Double(1.5e9) }, { becomes: {} }),
  offer('a source that nobody knows', { source_id: 'gone' }, { becomes: {} }),
  offer('null for a URL', { url: null }, { becomes: {} }),
];
