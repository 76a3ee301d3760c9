import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { type Loaded, loadSettings } from '../../../src/config/load.ts';
import { withoutEffect } from '../../../src/config/no-effect.ts';

const folder = mkdtempSync(join(tmpdir(), 'config-'));
afterAll(() => rmSync(folder, { recursive: true }));

const load = (text: string, flags: Readonly<Record<string, string>> = {}): Loaded => {
  const file = join(folder, 'server.conf');
  writeFileSync(file, text);
  return loadSettings({ files: [file], flags });
};

describe('settings without effect', () => {
  const SERVER = `[server]
server_name: h
storage_dir: /srv
[database]
name: x
seeds: h:1
write_concern: majority
[tasks]
broker_url: qpid://h
worker_timeout: 30
[authentication]
rsa_pub: /k
rsa_key: /k
[lazy]
redirect_host: h
redirect_path: /s/
prot: 1
[email]
host: h
`;
  const notes = (flags: Readonly<Record<string, string>>) => {
    const { files, settings } = load(SERVER, flags);
    return withoutEffect(files, settings).map((note) => note.replace(`${folder}/server.conf:`, ''));
  };
  const PULPS = {
    server: '2: [server] server_name has no effect here: it is for Pulp’s own server',
    database: '7: [database] write_concern has no effect here: it is for Pulp’s own connection to the database',
    tasks: '10: [tasks] worker_timeout has no effect here: it is for Pulp’s own workers',
    lazy: '15: [lazy] redirect_host has no effect here: it is for Pulp, which redirects clients to the streamer and downloads later what they asked for',
  };

  it('are those that are for Pulp alone, and those that others keep from counting', () =>
    expect(notes({})).toEqual([
      PULPS.server,
      PULPS.database,
      '9: [tasks] broker_url has no effect here: no tasks are sent (dispatch is deferred)',
      PULPS.tasks,
      '12: [authentication] rsa_pub has no effect here: signed_urls is off',
      PULPS.lazy,
    ]));

  it('depend on the others: copies that nobody keeps', () => {
    const { files, settings } = load('[database]\n[streamer]\nsave_limit: 1G\nsave_dir: /copies\nsave_partial: yes\n');
    expect(withoutEffect(files, settings).map((note) => note.replace(`${folder}/server.conf:`, ''))).toEqual([
      '3: [streamer] save_limit has no effect here: no copies are kept (dispatch is deferred)',
      '4: [streamer] save_dir has no effect here: no copies are kept (dispatch is deferred)',
    ]);
  });

  it('depend on the others: a folder, if copies are in a bucket, and the other way round', () => {
    const noted = (text: string) => {
      const { files, settings } = load(`[streamer]\n${text}`);
      return withoutEffect(files, settings).map((note) => note.replace(`${folder}/server.conf:`, ''));
    };
    expect(noted('save_url: s3://bucket/a\nsave_dir: /copies\nsave_limit: 30 %%\n')).toEqual([
      '3: [streamer] save_dir has no effect here: copies are in save_url',
      '4: [streamer] save_limit has no effect here: save_url has no size that it could be a percentage of; expected a number of bytes',
    ]);
    expect(noted('save_url: s3://bucket\nsave_limit: 1G\n')).toEqual([]);
    expect(noted('save_region: eu-central-1\n')).toEqual([
      '2: [streamer] save_region has no effect here: save_url is empty',
    ]);
  });

  it('depend on the others: names of a listener that is not there', () => {
    const noted = (more: string) => {
      const { files, settings } = load(`[streamer]\nadmin_hosts: a\n${more}`);
      return withoutEffect(files, settings).map((note) => note.replace(`${folder}/server.conf:`, ''));
    };
    expect(noted('')).toEqual(['2: [streamer] admin_hosts has no effect here: admin_port is 0']);
    expect(noted('admin_port: 8752\n')).toEqual([]);
  });

  it('depend on the others: all that can count', () =>
    expect(notes({ dispatch: 'celery', signedUrls: 'on', brokerUrl: 'amqp://h' })).toEqual(Object.values(PULPS)));

  it('depend on the others: the embedded catalog', () =>
    expect(notes({ catalogType: 'sqlite', dispatch: 'celery', signedUrls: 'on' })).toEqual([
      PULPS.server,
      '3: [server] storage_dir has no effect here: catalog_type is sqlite',
      '5: [database] name has no effect here: catalog_type is sqlite',
      '6: [database] seeds has no effect here: catalog_type is sqlite',
      PULPS.database,
      PULPS.tasks,
      PULPS.lazy,
    ]));

  it('depend on the others: a URL for the database, nudged for', () =>
    expect(notes({ mongodbUrl: 'mongodb://h', dispatch: 'deferred', deferredNudge: 'yes', signedUrls: 'on' })).toEqual([
      PULPS.server,
      '6: [database] seeds has no effect here: mongodb_url counts instead',
      PULPS.database,
      PULPS.tasks,
      PULPS.lazy,
    ]));
});

describe('demands of Pulp’s files that cannot be met', () => {
  const demand = (text: string, flags?: Readonly<Record<string, string>>) => () => load(text, flags);

  it('is refused: logins to MongoDB by certificate', () => {
    expect(demand('[database]\nname: x\nx509_auth: True\n')).toThrow(
      /server\.conf:3: \[database\] x509_auth: expected no: the streamer logs in to MongoDB by password; .* mongodb_url$/,
    );
  });

  it.each<[string, string, Readonly<Record<string, string>>]>([
    ['where it is not asked for', '[database]\nx509_auth: false\n', {}],
    ['where the catalog is another', '[database]\nx509_auth: true\n', { catalogType: 'sqlite' }],
    ['if a URL states the login', '[database]\nx509_auth: true\n', { mongodbUrl: 'mongodb://h' }],
  ])('are not a problem %s', (_, text, flags) => expect(demand(text, flags)).not.toThrow());
});
