import { beforeAll, describe, expect, it } from '@jest/globals';
import { makeCatalogCli } from '../../support/catalog-cli.ts';
import { type Certificates, createCertificates } from '../../support/certificates.ts';
import { makeFilesRepository } from '../../support/repositories.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const newFolder = temporaryFolders();
const makeCli = () => makeCatalogCli(newFolder());

describe('importers', () => {
  let certificates: Certificates;
  beforeAll(async () => {
    certificates = await createCertificates();
  });

  const writeIdentity = (write: (name: string, content: string) => string) => ({
    ca: write('ca.pem', certificates.authority.cert),
    cert: write('client.pem', certificates.client.cert),
    key: write('client.key', certificates.client.key),
    otherKey: write('other.key', certificates.otherClient.key),
  });

  it('keep PEM texts and show no secrets', async () => {
    const { run, write } = makeCli();
    const { ca, cert, key } = writeIdentity(write);
    const { out } = await run(
      ...['importers', 'add', '--repo', 'rhel', '--feed', 'https://cdn.example.com/x', '--ca', ca],
      ...['--client-cert', cert, '--client-key', key, '--username', 'u', '--password', 'hunter2'],
      ...['--proxy-host', 'proxy', '--proxy-port', '3128', '--proxy-username', 'pu', '--proxy-password', 'hunter3'],
      ...[
        '--feed-max-downloads',
        '3',
        '--feed-max-speed',
        '1e6',
        '--feed-connect-timeout',
        '6.05',
        '--feed-read-timeout',
        '27',
      ],
    );
    const id = out.trim();
    expect(id).toMatch(/^[0-9a-f]{24}$/);
    const shown = await run('importers', 'show', id);
    const listed = await run('importers', 'list');
    const json = await run('importers', 'list', '--json');
    expect(shown.out).toContain('ssl_client_cert: CN=first client, valid until ');
    expect(listed.out).toMatch(new RegExp(`^${id}\trhel\thttps://cdn.example.com/x/\t.*ssl_client_key`));
    expect(JSON.parse(json.out)).toEqual([
      {
        id,
        repo_id: 'rhel',
        config: {
          feed: 'https://cdn.example.com/x/',
          ssl_ca_cert: certificates.authority.cert,
          ssl_client_cert: certificates.client.cert,
          ssl_client_key: '********',
          basic_auth_username: 'u',
          basic_auth_password: '********',
          proxy_host: 'proxy',
          proxy_port: 3128,
          proxy_username: 'pu',
          proxy_password: '********',
          max_downloads: 3,
          max_speed: 1e6,
          connect_timeout: 6.05,
          read_timeout: 27,
        },
        entries: 0,
      },
    ]);
    expect(JSON.parse((await run('importers', 'show', id, '--json')).out)).toEqual(JSON.parse(json.out)[0]);
    for (const { out: text } of [shown, listed, json]) expect(text).not.toMatch(/hunter|PRIVATE KEY/);
  });

  it('are made anew by each add, and shared by imports with the same certificate', async () => {
    const folder = newFolder();
    makeFilesRepository(folder, { 'a.iso': 'A' });
    const { run, write } = makeCli();
    const { cert, key } = writeIdentity(write);
    const args = [
      'catalog',
      'import',
      'files',
      folder,
      '--client-key',
      key,
      '--client-cert',
      cert,
      '--json',
      '--prefix',
    ];
    const one = JSON.parse((await run(...args, '/one')).out);
    const two = JSON.parse((await run(...args, '/two')).out);
    expect(two.importer).toBe(one.importer);
  });

  it('are removed only when no entry refers to them', async () => {
    const { run } = makeCli();
    const id = (await run('importers', 'add')).out.trim();
    await run('catalog', 'add', '/p', 'https://h/', '--importer', id);
    await expect(run('importers', 'remove', id)).rejects.toThrow(`importer ${id} is in use, for example by /p`);
    await run('catalog', 'remove', '/p');
    await run('catalog', 'follow', 'yum', 'https://h/', '--prefix', '/r', '--importer', id);
    await expect(run('importers', 'remove', id)).rejects.toThrow(`importer ${id} is in use, for example by /r/`);
    await run('catalog', 'remove', '--prefix', '/r');
    expect((await run('importers', 'remove', id)).out).toBe(`removed importer ${id}\n`);
    await expect(run('importers', 'remove', id)).rejects.toThrow(`importer ${id} is not in the catalog`);
    await expect(run('importers', 'show', id)).rejects.toThrow(`importer ${id} is not in the catalog`);
  });

  for (const [given, missing, value] of [
    ['--client-cert', '--client-key', 'cert'],
    ['--client-key', '--client-cert', 'key'],
    ['--proxy-host', '--proxy-port', 'proxy'],
    ['--proxy-port', '--proxy-host', '3128'],
    ['--proxy-username', '--proxy-password', 'u'],
    ['--username', '--password', 'u'],
    ['--password', '--username', 'p'],
  ] as const) {
    it(`are refused with ${given} alone`, async () => {
      const { run, write } = makeCli();
      const files: Readonly<Record<string, string>> = writeIdentity(write);
      await expect(run('importers', 'add', given, files[value] ?? value)).rejects.toThrow(
        `${given} requires ${missing}`,
      );
      expect((await run('importers', 'list')).out).toBe('');
    });
  }

  it('are refused with files that are not what they should be', async () => {
    const { run, write } = makeCli();
    const { cert, key, otherKey } = writeIdentity(write);
    const add = (...args: string[]) => run('importers', 'add', ...args);
    await expect(add('--ca', '/nowhere.pem')).rejects.toThrow('--ca /nowhere.pem: no such file');
    await expect(add('--ca', key)).rejects.toThrow(`--ca ${key}: expected a PEM certificate (`);
    await expect(add('--client-cert', cert, '--client-key', cert)).rejects.toThrow(
      `--client-key ${cert}: expected a PEM private key without a passphrase (`,
    );
    await expect(add('--client-cert', cert, '--client-key', otherKey)).rejects.toThrow(
      `--client-key ${otherKey} is not the key of --client-cert ${cert}`,
    );
    await expect(add('--feed', 'https://u:hunter2@h/')).rejects.toThrow('the URL must not contain credentials');
    await expect(add('--proxy-port', '70000')).rejects.toThrow('expected a port, 1 to 65535');
    await expect(add('--feed-max-speed', '0')).rejects.toThrow('expected a number above 0');
    expect((await run('importers', 'list')).out).toBe('');
  });
});
