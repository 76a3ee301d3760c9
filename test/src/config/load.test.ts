import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ConfigError } from '../../../src/config/config-error.ts';
import { loadSettings, type Sources, STANDARD_FILES } from '../../../src/config/load.ts';
import { printSettings, settingsJson } from '../../../src/config/print.ts';
import { SETTINGS, type Settings } from '../../../src/config/schema.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'config-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const write = (name: string, text: string): string => {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
};

const problemsOf = (sources: Sources): readonly string[] => {
  try {
    loadSettings(sources);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map((problem) => problem.replaceAll(folder, ''));
    throw error;
  }
  return [];
};

const warningsOf = (sources: Sources): readonly string[] =>
  loadSettings(sources).warnings.map((warning) => warning.replaceAll(folder, ''));

describe('loadSettings', () => {
  it('has valid defaults for everything', () => {
    const { settings, origins, warnings } = loadSettings({ files: [] });
    expect(Object.keys(settings)).toEqual(Object.keys(SETTINGS));
    expect(settings).toMatchObject({
      port: 8751,
      interfaces: ['localhost'],
      cacheTimeout: 86_400_000,
      logLevel: 'INFO',
      stateDir: '/var/lib/pulp-streamer',
      catalog: '/var/lib/pulp-streamer/catalog.db',
      catalogType: 'sqlite',
      mongodbUrl: '',
      mongodbTimeout: 5000,
      databaseName: 'pulp_database',
      databaseSeeds: ['localhost:27017'],
      databaseUsername: '',
      databasePassword: '',
      databaseReplicaSet: '',
      databaseSsl: false,
      databaseSslKeyfile: '',
      databaseSslCertfile: '',
      databaseVerifySsl: true,
      databaseCaPath: '',
      storageDir: '/var/lib/pulp',
      pluginConfigDir: '/etc/pulp/server/plugins.conf.d',
      dispatch: 'save',
      saveDir: '/var/lib/pulp-streamer/saved',
      contentSourcesDir: '/etc/pulp/content/sources/conf.d',
      connectTimeout: 6050,
      headTimeout: 27_000,
      readTimeout: 27_000,
      idleTimeout: 15_000,
      maxRedirects: 10,
      maxConnections: 1000,
      verifyWholeBelow: 1_048_576,
      attempts: 8,
      attemptsPerCandidate: 3,
      retryWait: 500,
      retryWaitLimit: 10_000,
      stopTimeout: 30_000,
    });
    expect(new Set(Object.values(origins))).toEqual(new Set(['default']));
    expect(warnings).toEqual([]);
  });

  it('derives the defaults below state_dir from it, whoever set it', () => {
    const { settings, origins } = loadSettings({
      files: [],
      env: { PULP_STREAMER_STATE_DIR: '/s' },
      flags: { catalog: '/c' },
    });
    expect([settings.catalog, settings.saveDir]).toEqual(['/c', '/s/saved']);
    expect([origins.catalog, origins.saveDir]).toEqual(['flag --catalog', 'default']);
  });

  it('flags over environment over later files over earlier files over defaults', () => {
    const one = write('one.conf', '[streamer]\nport: 1\nattempts: 1\nread_timeout: 1\nmax_redirects: 1\n');
    const two = write('two.conf', '\n[streamer]\nport: 2\nattempts: 2\nread_timeout: 2\n');
    const { settings, origins } = loadSettings({
      files: [one, two],
      env: { PULP_STREAMER_PORT: '3', PULP_STREAMER_ATTEMPTS: '3' },
      flags: { port: '4', idleTimeout: undefined },
    });
    expect([settings.port, settings.attempts, settings.readTimeout, settings.maxRedirects]).toEqual([4, 3, 2000, 1]);
    expect([origins.port, origins.attempts, origins.readTimeout, origins.maxRedirects, origins.idleTimeout]).toEqual([
      'flag --port',
      'environment PULP_STREAMER_ATTEMPTS',
      `${two}:5`,
      `${one}:5`,
      'default',
    ]);
  });

  it('takes the spellings of [lazy], and the proper one rather than them', () => {
    const file = write(
      'server.conf',
      '[streamer]\nport: 1\n[lazy]\nstreamer_port: 2\nstreamer_interface: lo, eth0\nstreamer_cache_timeout: 1h\n',
    );
    const { settings, origins } = loadSettings({ files: [file] });
    expect([settings.port, settings.interfaces, settings.cacheTimeout]).toEqual([1, ['lo', 'eth0'], 3_600_000]);
    expect([origins.port, origins.interfaces]).toEqual([`${file}:2`, `${file}:5`]);
  });

  it('[lazy] of a later file wins over [streamer] of an earlier one', () => {
    const files = [write('a.conf', '[streamer]\nport: 1\n'), write('b.conf', '[lazy]\nstreamer_port: 2\n')];
    expect(loadSettings({ files }).settings.port).toBe(2);
  });

  it('an empty list in a file is a value', () => {
    expect(loadSettings({ files: [write('a.conf', '[streamer]\ninterfaces:\n')] }).settings.interfaces).toEqual([]);
  });

  it('finds its own file at its standard place, which counts before Pulp’s', () => {
    expect(STANDARD_FILES).toEqual([
      '/etc/pulp/server.conf',
      '/etc/pulp/streamer.conf',
      '/etc/pulp-streamer/pulp-streamer.conf',
    ]);
    const standardFiles = ['streamer.conf', 'pulp-streamer.conf'].map((name, index) =>
      write(name, `[streamer]\nport: ${index + 1}\n`),
    );
    expect(loadSettings({ standardFiles }).settings.port).toBe(2);
  });

  it('reads the standard files where they exist, and not beside named ones', () => {
    const standardFiles = [join(folder, 'server.conf'), write('streamer.conf', '[streamer]\nport: 5\n')];
    expect(loadSettings({ standardFiles }).settings.port).toBe(5);
    expect(loadSettings({ standardFiles, files: [] }).settings.port).toBe(8751);
  });

  it('reads each file by its own dialect: a password with two percent signs', () => {
    const text = '[database]\npassword: p%%w\n';
    const passwords = ['server.conf', 'streamer.conf', 'pulp-streamer.conf'].map(
      (name) => loadSettings({ files: [write(name, text)] }).settings.databasePassword,
    );
    expect(passwords).toEqual(['p%w', 'p%w', 'p%%w']);
  });

  it('names the line of a percent sign that Python would not take, but not its value', () => {
    const file = write('server.conf', '[database]\nname: x\npassword: s3%cret\n[email]\nfrom: 100%\n');
    expect(problemsOf({ files: [file] })).toEqual([
      '/server.conf:3: [database] password: expected "%%" for a percent sign, or "%(KEY)s" for the value of another key; found a "%" that is neither',
    ]);
  });

  it('takes the database of server.conf as Pulp does', () => {
    const file = write(
      'server.conf',
      `[server]
server_name: pulp.example.com
storage_dir: /srv/pulp
[database]
name: pulp
seeds: one.example.com:27017,two.example.com:27018
username: pulp
password: s3cret
replica_set: rs0
ssl: true
ssl_keyfile: /etc/pki/key.pem
ssl_certfile: /etc/pki/cert.pem
verify_ssl: false
ca_path: /etc/pki/ca.pem
write_concern: majority
`,
    );
    const { settings, origins, warnings } = loadSettings({ files: [file] });
    expect(settings).toMatchObject({
      storageDir: '/srv/pulp',
      catalogType: 'mongodb',
      databaseName: 'pulp',
      databaseSeeds: ['one.example.com:27017', 'two.example.com:27018'],
      databaseUsername: 'pulp',
      databasePassword: 's3cret',
      databaseReplicaSet: 'rs0',
      databaseSsl: true,
      databaseSslKeyfile: '/etc/pki/key.pem',
      databaseSslCertfile: '/etc/pki/cert.pem',
      databaseVerifySsl: false,
      databaseCaPath: '/etc/pki/ca.pem',
    });
    expect([origins.databaseSeeds, origins.catalogType]).toEqual([`${file}:6`, `${file}: section [database]`]);
    expect(warnings).toEqual([]);
  });

  it.each<[string, string, Omit<Sources, 'files'>, 'mongodb' | 'sqlite']>([
    ['a file with an empty [database], as Pulp ships it', '[database]\n# seeds: localhost:27017\n', {}, 'mongodb'],
    ['a URL', '', { env: { PULP_STREAMER_MONGODB_URL: 'mongodb://h/' } }, 'mongodb'],
    ['an empty URL', '', { flags: { mongodbUrl: '' } }, 'sqlite'],
    ['whoever says otherwise', '[database]\n[streamer]\ncatalog_type: SQLite\n', {}, 'sqlite'],
    ['a flag', '', { flags: { catalogType: 'mongodb' } }, 'mongodb'],
    ['a single setting of the database without the section', '[streamer]\ndatabase_name: x\n', {}, 'sqlite'],
  ])('chooses the catalog: %s', (_, text, sources, expected) => {
    expect(loadSettings({ files: [write('a.conf', text)], ...sources }).settings.catalogType).toBe(expected);
  });

  it.each<[string, string, Omit<Sources, 'files'>, Settings['dispatch']]>([
    ['the embedded catalog', '[streamer]\n', {}, 'save'],
    ['Pulp’s database, from its file', '[database]\n', {}, 'deferred'],
    ['Pulp’s database, by name', '[streamer]\ncatalog_type: MongoDB\n', {}, 'deferred'],
    ['Pulp’s database, by its URL', '', { env: { PULP_STREAMER_MONGODB_URL: 'mongodb://h/' } }, 'deferred'],
    ['another catalog beside Pulp’s database', '[database]\n', { flags: { catalogType: 'sqlite' } }, 'save'],
    ['a file that keeps copies', '[streamer]\ndispatch: save\n[database]\n', {}, 'save'],
    ['a flag', '[database]\n', { flags: { dispatch: 'none' } }, 'none'],
  ])('chooses how content is saved by the catalog: %s', (_, text, sources, expected) => {
    expect(loadSettings({ files: [write('a.conf', text)], ...sources }).settings.dispatch).toBe(expected);
  });

  it('says why content is saved as it is', () => {
    const implied = loadSettings({ files: [write('a.conf', '[streamer]\ncatalog_type: mongodb\n')] });
    expect(implied.origins.dispatch).toBe(`${join(folder, 'a.conf')}:2: [streamer] catalog_type`);
  });

  it('never tells a secret', () => {
    const file = write('a.conf', '[streamer]\nmongodb_url: mysql://pulp:s3cret@h/\n');
    expect(problemsOf({ files: [file] })).toEqual([
      '/a.conf:2: [streamer] mongodb_url: expected mongodb://[USER:PASSWORD@]HOST[:PORT][,HOST…]/[DATABASE][?OPTIONS]; found something else (a secret, not shown)',
    ]);
    const flags = { mongodbUrl: 'mongodb://pulp:s3cret@h/', databasePassword: 's3cret' };
    const loaded = loadSettings({ files: [], flags });
    expect(printSettings(loaded) + JSON.stringify(settingsJson(loaded))).not.toContain('s3cret');
  });

  it.each([
    ['nothing', '[streamer]\n', {}, ''],
    ['a file with a [lazy]', '[lazy]\n', {}, '/streamer/'],
    ['a [lazy] as it is shipped', '[lazy]\n# redirect_host:\n# redirect_path: /streamer/\n', {}, '/streamer/'],
    ['a server.conf from before there was a [lazy]', '[database]\n', {}, '/streamer/'],
    ['a slash that is missing, which Pulp does not mind', '[lazy]\nredirect_path: streamer/\n', {}, '/streamer/'],
    ['somebody who sets signed_urls', '[streamer]\nsigned_urls: on\n', {}, '/streamer/'],
    ['whoever says otherwise', '[lazy]\nredirect_path: /s/\n', {}, '/s/'],
    ['whoever says that there is none', '[lazy]\n', { redirectPath: '' }, ''],
  ])('knows what Pulp puts before the paths of clients: %s', (_, text, flags, prefix) => {
    expect(loadSettings({ files: [write('a.conf', text)], flags }).settings.redirectPath).toBe(prefix);
  });

  it('warns of what a file says twice', () => {
    expect(warningsOf({ files: [write('a.conf', '[streamer]\nport: 1\nport: 2\n')] })).toEqual([
      '/a.conf:3: key port again; it counts instead of line 2',
    ]);
  });

  it('tells every problem at once, each with its place and what was expected', () => {
    const broken = write('broken.conf', 'port: 1\n[streamer]\nattempts: many\nwhat\n[lazy]\nstreamer_port: 70000\n');
    mkdirSync(join(folder, 'folder.conf'));
    const files = [broken, join(folder, 'none.conf'), join(folder, 'folder.conf')];
    const env = { PULP_STREAMER_LOG_LEVEL: 'LOUD' };
    expect(problemsOf({ files, env, flags: { readTimeout: '1 week', port: '80' } })).toEqual([
      '/broken.conf:1: text before any section: expected a section header such as "[streamer]" first',
      '/broken.conf:4: expected "key: value" or "key = value" (a line that continues a value is indented)',
      '/none.conf: expected a readable file; found none',
      '/folder.conf: expected a readable file; found one that cannot be read (EISDIR)',
      '/broken.conf:6: [lazy] streamer_port: expected a whole number from 0 to 65535; found "70000"',
      'environment PULP_STREAMER_LOG_LEVEL: expected one of CRITICAL, ERROR, WARNING, INFO, DEBUG, NOTSET; found "LOUD"',
      'flag --read-timeout: expected a duration of 1 ms to 24 d: seconds, or a number with one of the suffixes ms, s, m, h, d; found "1 week"',
      '/broken.conf:3: [streamer] attempts: expected a whole number from 1 to 1000; found "many"',
    ]);
  });

  it('puts the problems into the message of the error', () => {
    const file = write('a.conf', '[streamer]\nport: eighty\n');
    expect(() => loadSettings({ files: [file] })).toThrow(
      `the configuration is not valid:\n  ${file}:2: [streamer] port: expected a whole number from 0 to 65535; found "eighty"`,
    );
  });

  const suspicious: [name: string, text: string, warnings: string[]][] = [
    ['a misspelt key', '[streamer]\nprot: 1\n', ['/a.conf:2: [streamer] prot is not a setting; the nearest is port']],
    [
      'a key in the wrong section',
      '[streamer]\nstreamer_port: 1\n[lazy]\nport: 1\n',
      [
        '/a.conf:2: [streamer] streamer_port is not a setting; the nearest is streamer_port in section [lazy]',
        '/a.conf:4: [lazy] port is not a setting; the nearest is port in section [streamer]',
      ],
    ],
    [
      'misspelt sections, empty ones too',
      '[Streamer]\nport: 1\n[streamr]\n[task]\n[Server]\nx: 1\n[pulp-streamer]\n',
      [
        '/a.conf:1: section [Streamer] is not read; the nearest is [streamer]',
        '/a.conf:3: section [streamr] is not read; the nearest is [streamer]',
        '/a.conf:4: section [task] is not read; the nearest is [tasks]',
        '/a.conf:5: section [Server] is not read; the nearest is [server]',
        '/a.conf:7: section [pulp-streamer] is not read; the nearest is [streamer]',
      ],
    ],
    [
      'what Pulp keeps in [lazy]',
      '[lazy]\nredirect_host: h\ndownload_interval: 30\nenabled: true\nhttps_retrieval: no\n',
      [],
    ],
    ['Pulp’s sections', '[database]\nname: x\nprot: 1\n[server]\nserver_name: h\n[email]\n[ldap]\nx: 1\n', []],
  ];
  it.each(suspicious)('warns where due: %s', (_, text, warnings) => {
    expect(warningsOf({ files: [write('a.conf', text)] })).toEqual(warnings);
  });

  it('warns, in files of Pulp’s, only of sections that are nearly right: its plugins have some of their own', () => {
    const file = write('server.conf', '[DEFAULT]\nx: 1\n[my_plugin]\nport: 1\n\n[databse]\n[lasy]\n[logs]\n');
    expect(warningsOf({ files: [file] })).toEqual([
      '/server.conf:6: section [databse] is not read; the nearest is [database]',
      '/server.conf:7: section [lasy] is not read; the nearest is [lazy]',
    ]);
  });

  it('warns of unknown variables', () => {
    const env = { PULP_STREAMER_CACHE_TIME: '1', PULP_STREAMER_PORT: '1', PULP_STREAMERS: '1', HOME: '/h' };
    expect(warningsOf({ files: [], env })).toEqual([
      'environment PULP_STREAMER_CACHE_TIME is not a setting; the nearest is PULP_STREAMER_CACHE_TIMEOUT',
    ]);
  });
});

describe('credentials of systemd', () => {
  const files = () => [
    write('own.conf', '[streamer]\nbroker_url: credential:broker\ndatabase_password: credential:db\n'),
  ];

  it('are the values of secret settings', () => {
    write('broker', 'amqp://u:p@h//\n');
    write('db', 'hunter2');
    const { settings, warnings } = loadSettings({ files: files(), env: { CREDENTIALS_DIRECTORY: folder } });
    expect(settings).toMatchObject({ brokerUrl: 'amqp://u:p@h//', databasePassword: 'hunter2' });
    expect(warnings).toEqual([]);
  });

  it('must be there for the service; others are warned', () => {
    const reason = 'is not there: CREDENTIALS_DIRECTORY is set only in the service (LoadCredential=)';
    const all = [
      `/own.conf:3: [streamer] database_password: credential:db ${reason}`,
      `/own.conf:2: [streamer] broker_url: credential:broker ${reason}`,
    ];
    expect(problemsOf({ files: files() })).toEqual(all);
    expect(warningsOf({ files: files(), outsideService: true })).toEqual(all);
  });

  it('must be readable', () => {
    write('db', 'hunter2');
    expect(problemsOf({ files: files(), env: { CREDENTIALS_DIRECTORY: folder } })).toEqual([
      expect.stringMatching(/^\/own\.conf:2: \[streamer\] broker_url: ENOENT.*broker/),
    ]);
  });

  it('are files for settings that name a key', () => {
    const file = write('own.conf', '[streamer]\nrsa_pub: credential:url-key\nbroker_keyfile: credential:broker.key\n');
    const { settings } = loadSettings({ files: [file], env: { CREDENTIALS_DIRECTORY: folder } });
    expect(settings).toMatchObject({
      rsaPub: join(folder, 'url-key'),
      brokerKeyfile: join(folder, 'broker.key'),
    });
    const reason = 'is not there: CREDENTIALS_DIRECTORY is set only in the service (LoadCredential=)';
    expect(warningsOf({ files: [file], outsideService: true })).toEqual([
      `/own.conf:3: [streamer] broker_keyfile: credential:broker.key ${reason}`,
      `/own.conf:2: [streamer] rsa_pub: credential:url-key ${reason}`,
    ]);
    expect(problemsOf({ files: [write('own.conf', '[streamer]\nrsa_pub: credential:../key\n')] })).toEqual([
      '/own.conf:2: [streamer] rsa_pub: expected credential:NAME with the name of a credential of systemd',
    ]);
  });

  it('are not meant by settings that are neither secret nor a key', () => {
    expect(problemsOf({ files: [write('own.conf', '[streamer]\nport: credential:port\n')] })).toEqual([
      expect.stringContaining('expected a whole number'),
    ]);
  });
});
