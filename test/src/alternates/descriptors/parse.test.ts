import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type Descriptors, readDescriptors } from '../../../../src/alternates/descriptors/parse.ts';
import { DESCRIPTOR } from '../../../../src/config/dialects.ts';
import { parseIni } from '../../../../src/config/ini.ts';
import { temporaryFolders } from '../../../support/temporary.ts';

const newFolder = temporaryFolders();
const TYPES = ['yum', 'files'];
const read = (...texts: string[]): Descriptors =>
  readDescriptors(
    texts.map((text, index) => parseIni(text, `${index}.conf`, DESCRIPTOR)),
    TYPES,
  );
const REQUIRED = 'enabled: yes\ntype: yum\nbase_url: http://acs/';
const one = (more: string) => read(`[one]\n${REQUIRED}\n${more}\n`);

const CERTIFICATE = '-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n';
const KEY = '-----BEGIN RSA PRIVATE KEY-----\nAA==\n-----END RSA PRIVATE KEY-----\n';
const written = (text: string): string => {
  const file = join(newFolder(), 'x.pem');
  writeFileSync(file, text);
  return file;
};

describe('descriptors', () => {
  it('have defaults for all but what is required', () =>
    expect(one('')).toEqual({
      problems: [],
      sources: [
        {
          id: 'one',
          name: 'one',
          type: 'yum',
          baseUrl: 'http://acs/',
          paths: [''],
          priority: 0,
          expires: 86_400,
          access: { maxConcurrent: 2 },
        },
      ],
    }));

  it('may have every key that Pulp knows, and unknown ones', () => {
    const [ca, cert, key] = [CERTIFICATE, CERTIFICATE, KEY].map(written);
    const { sources, problems } = one(`
name: The One
priority: -3
expires: 3d
paths: a/b \\
  /c/
max_concurrent: 7
max_speed: 1000
ssl_ca_cert: ${ca}
ssl_client_cert: ${cert}
ssl_client_key: ${key}
ssl_validation: no
proxy_url: http://proxy/
proxy_port: 3128
proxy_username: pu
proxy_password: pp
basic_auth_username: bu
basic_auth_password: bp
headers: X-One=1=1
  X-Two=2
colour: green`);
    expect(problems).toEqual([]);
    expect(sources).toEqual([
      {
        id: 'one',
        name: 'The One',
        type: 'yum',
        baseUrl: 'http://acs/',
        paths: ['a/b/', 'c/'],
        priority: -3,
        expires: 259_200,
        access: {
          ca: CERTIFICATE,
          clientCert: CERTIFICATE,
          clientKey: KEY,
          verifyServer: false,
          basicAuth: { username: 'bu', password: 'bp' },
          proxy: { url: 'http://proxy:3128', username: 'pu', password: 'pp' },
          headers: [
            ['X-One', '1=1'],
            ['X-Two', '2'],
          ],
          maxConcurrent: 7,
          maxSpeed: 1000,
        },
      },
    ]);
  });

  it.each([
    ['yes', 1],
    ['True', 1],
    ['1', 1],
    ['on', 1],
    ['no', 0],
    ['FALSE', 0],
    ['0', 0],
    ['off', 0],
  ])('enabled: %s makes %i source, without a warning', (enabled, count) => {
    const { sources, problems } = read(`[one]\ntype: yum\nbase_url: http://acs/\nenabled: ${enabled}\n`);
    expect([sources.length, problems]).toEqual([count, []]);
  });

  it('are read as Python’s ConfigParser reads them: references, [DEFAULT], and URLs that are percent-encoded', () => {
    const { sources, problems } = read(
      `[DEFAULT]\nenabled: 1\ntype: yum\nhost: acs\n[one]\nbase_url: http://%(host)s/%%20/\n[two]\nbase_url: http://acs/%20/\n`,
    );
    expect(problems).toEqual([]);
    expect(sources.map(({ id, baseUrl }) => [id, baseUrl])).toEqual([
      ['one', 'http://acs/%20/'],
      ['two', 'http://acs/%20/'],
    ]);
  });

  it('may name credentials of systemd for files and passwords', () => {
    const folder = newFolder();
    for (const [name, text] of Object.entries({ cert: CERTIFICATE, key: KEY, word: 'hunter2\n' }))
      writeFileSync(join(folder, name), text);
    const more =
      'ssl_client_cert: credential:cert\nssl_client_key: credential:key\nbasic_auth_username: u\nbasic_auth_password: credential:word';
    expect(one(more).problems).toEqual([expect.stringContaining('ssl_client_cert: credential:cert cannot be read')]);
    const before = process.env.CREDENTIALS_DIRECTORY;
    process.env.CREDENTIALS_DIRECTORY = folder;
    try {
      expect(one(more).sources[0]?.access).toMatchObject({
        clientCert: CERTIFICATE,
        clientKey: KEY,
        basicAuth: { username: 'u', password: 'hunter2' },
      });
      expect(one(more.replace(':word', ':none')).problems).toEqual([
        '0.conf:8: [one] basic_auth_password: cannot be read (ENOENT); expected credential:NAME; the source is left out',
      ]);
    } finally {
      if (before === undefined) delete process.env.CREDENTIALS_DIRECTORY;
      else process.env.CREDENTIALS_DIRECTORY = before;
    }
  });

  it('with an unknown reference is left out and reported with its line; the others stay in use', () => {
    const { sources, problems } = read(`[one]\n${REQUIRED}\nname: %(nowhere)s\n[two]\n${REQUIRED}\n`);
    expect(sources.map(({ id }) => id)).toEqual(['two']);
    expect(problems).toEqual([
      '0.conf:5: [one] name: expected "%(KEY)s" for the value of another key; found a key that is neither in its section nor in [DEFAULT]; the source is left out',
    ]);
  });

  it('of disabled sources are not even checked', () =>
    expect(read('[one]\nenabled: 0\ntype: nonsense\n')).toEqual({ sources: [], problems: [] }));

  it.each([
    ['45', 45],
    ['45s', 45],
    ['10m', 600],
    ['2h', 7200],
    ['1.5 d', 129_600],
  ])('expires: %s is %i seconds', (text, seconds) => expect(one(`expires: ${text}`).sources[0]?.expires).toBe(seconds));

  it.each([
    ['http://acs', 'http://acs/'],
    ['http://acs/a', 'http://acs/a/'],
    ['HTTPS://acs/a//', 'https://acs/a/'],
    ['file:///mnt/a b', 'file:///mnt/a%20b/'],
    ['file:///mnt/x/../y', 'file:///mnt/y/'],
  ])('base_url: %s means %s', (text, url) => {
    const { sources } = read(`[one]\nenabled: 1\ntype: files\nbase_url: ${text}\n`);
    expect(sources[0]?.baseUrl).toBe(url);
  });

  it.each([
    ['type: deb', 3, 'type: expected one of yum, files'],
    ['base_url: ftp://acs/', 4, 'base_url: expected file:///…, http://… or https://…'],
    ['base_url: file://server/share', 4, 'base_url: expected file:///…'],
    ['base_url: file:///a%2Fb', 4, 'base_url: expected file:///…'],
    ['base_url: http://acs/?x=1', 4, 'base_url: expected'],
    ['enabled: perhaps', 2, 'enabled: expected yes or no'],
    ['priority: first', 5, 'priority: expected a whole number'],
    ['expires: never', 5, 'expires: expected a duration above 0'],
    ['expires: 0', 5, 'expires: expected a duration above 0'],
    ['paths: ../x', 5, 'paths: expected folders below base_url'],
    ['paths: a?b %2E%2e/c', 5, 'paths: expected folders below base_url'],
    ['max_concurrent: 0', 5, 'max_concurrent: expected a whole number from 1'],
    ['max_speed: fast', 5, 'max_speed: expected a number of bytes'],
    ['ssl_validation: maybe', 5, 'ssl_validation: expected yes or no'],
    ['proxy_url: ftp://proxy', 5, 'proxy_url: expected a host'],
    ['headers: Nonsense', 5, 'headers: expected NAME=VALUE'],
    ['headers: X-É=1', 5, 'headers: expected NAME=VALUE'],
    ['ssl_ca_cert: /no/such/file', 5, 'ssl_ca_cert: /no/such/file cannot be read (ENOENT); expected a PEM file'],
  ])('with %s leave the source out and report place and reason', (line, number, problem) => {
    const key = line.slice(0, line.indexOf(':'));
    const lines = REQUIRED.split('\n').map((required) => (required.startsWith(`${key}:`) ? line : required));
    const text = ['[one]', ...lines, ...(lines.includes(line) ? [] : [line])].join('\n');
    const { sources, problems } = read(text, `[two]\n${REQUIRED}`);
    expect(sources.map(({ id }) => id)).toEqual(['two']);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(`0.conf:${number}: [one] ${problem}`);
    expect(problems[0]).toContain('; the source is left out');
  });

  it.each([
    ['/', ['']],
    ['', ['']],
    ['\\', ['']],
    ['/ a', ['', 'a/']],
    ['a b a/ //a// b', ['a/', 'b/']],
    ['a/%2e.x/b', ['a/%2e.x/b/']],
  ])('paths: %s are %j, each once', (text, paths) => {
    expect(one(`paths: ${text}`)).toMatchObject({ sources: [{ paths }], problems: [] });
  });

  it.each(['../a', 'a/./b', 'a/%2E%2E/b', 'a?b', 'a#b', 'a\\..\\b'])(
    'leave out the wrong path %s among valid ones, and report it',
    (wrong) => {
      const { sources, problems } = one(`paths: x ${wrong} y`);
      expect(sources.map(({ paths }) => paths)).toEqual([['x/', 'y/']]);
      expect(problems).toEqual([`0.conf:5: [one] paths: ${wrong} is left out; expected a folder below base_url`]);
    },
  );

  it('report missing keys', () => {
    const { problems } = read('[one]\nenabled: yes\n');
    expect(problems).toEqual([
      '0.conf:2: [one] type: is missing; expected one of yum, files; the source is left out',
      expect.stringContaining('0.conf:2: [one] base_url: is missing; expected file:///'),
    ]);
  });

  it('in an unreadable file are left out with it; those in other files are not', () => {
    const { sources, problems } = read('rubbish\n', `[two]\n${REQUIRED}\n\n[three]\n${REQUIRED}\n`);
    expect(sources.map(({ id }) => id)).toEqual(['two', 'three']);
    expect(problems).toEqual([expect.stringMatching(/^0\.conf:1: .*; the file is left out$/)]);
  });

  it('of one source twice count once', () => {
    const { sources, problems } = read(`[one]\n${REQUIRED}`, `[one]\n${REQUIRED}\npriority: 9`);
    expect(sources).toMatchObject([{ id: 'one', priority: 0 }]);
    expect(problems).toEqual(['1.conf:2: [one] is described at 0.conf:2 already; expected each source once']);
  });

  it.each([
    ['proxy_url: http://proxy', 'proxy_url is ignored; expected proxy_port as well'],
    ['proxy_port: 3128', 'proxy_port is ignored; expected proxy_url as well'],
    ['basic_auth_username: me', 'basic_auth_username is ignored; expected basic_auth_password as well'],
  ])('with half a pair (%s) keep the source, and report it', (line, problem) => {
    const { sources, problems } = one(line);
    expect(sources).toMatchObject([{ access: { maxConcurrent: 2 } }]);
    expect(Object.keys(sources[0]?.access ?? {})).toEqual(['maxConcurrent']);
    expect(problems).toEqual([`0.conf:5: [one] ${problem}`]);
  });

  it('take the key of a client certificate from its own file, or from the certificate’s', () => {
    const both = written(CERTIFICATE + KEY);
    expect(one(`ssl_client_cert: ${both}`).sources[0]?.access).toMatchObject({
      clientCert: CERTIFICATE + KEY,
      clientKey: CERTIFICATE + KEY,
    });
    expect(one(`ssl_client_cert: ${written(CERTIFICATE)}`).problems).toEqual([
      '0.conf:5: [one] ssl_client_cert: has no private key; expected ssl_client_key as well; the source is left out',
    ]);
    expect(one(`ssl_client_key: ${written(KEY)}`).problems[0]).toContain('has no certificate');
    expect(one(`ssl_client_cert: ${written(KEY)}`).problems[0]).toContain('contains no PEM CERTIFICATE');
  });
});
