import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { DatabaseSettings } from '../../../../src/catalog/mongodb/client.ts';
import { makeClient } from '../../../../src/catalog/mongodb/client.ts';
import { databaseSettings } from '../../../support/database-settings.ts';
import { temporaryFolders } from '../../../support/temporary.ts';

const newFolder = temporaryFolders();
const make = (settings: Partial<DatabaseSettings>) => makeClient(databaseSettings(settings), 5_000);
const optionsOf = (settings: Partial<DatabaseSettings>) => make(settings).client.options;

describe('the client of Pulp’s database', () => {
  it('uses a single seed as the server itself, and several seeds or a named set to find others', () => {
    const { directConnection, replicaSet, tls } = optionsOf({});
    expect([directConnection, replicaSet, tls ?? false]).toEqual([true, undefined, false]);
    expect(optionsOf({ seeds: ['a:1', 'b'] }).directConnection).toBe(false);
    expect(optionsOf({ replicaSet: 'rs0' })).toMatchObject({ directConnection: false, replicaSet: 'rs0' });
    expect(make({ seeds: ['a:1', '[::1]:2', 'b'] })).toMatchObject({
      hosts: 'a:1,[::1]:2,b:27017',
      database: 'pulp_database',
    });
  });

  it('authenticates against the database only with both name and password', () => {
    const { credentials } = optionsOf({ username: 'pulp', password: 'p@ss/w:rd', name: 'pulp' });
    expect(credentials).toMatchObject({ username: 'pulp', password: 'p@ss/w:rd', source: 'pulp' });
    expect(optionsOf({ username: 'pulp' }).credentials).toBeUndefined();
  });

  it('gives up each step in time', () => {
    expect(optionsOf({ url: 'mongodb://a/' })).toMatchObject({
      serverSelectionTimeoutMS: 5_000,
      connectTimeoutMS: 5_000,
      socketTimeoutMS: 5_000,
      waitQueueTimeoutMS: 5_000,
    });
  });

  it('uses TLS as set in server.conf', () => {
    const folder = newFolder();
    const pem = (name: string) => {
      writeFileSync(join(folder, name), name);
      return join(folder, name);
    };
    const tls = { ssl: true, caPath: pem('ca'), sslCertfile: pem('cert'), sslKeyfile: pem('key') };
    const text = (value: unknown) => String(value);
    const options = optionsOf(tls);
    expect([options.tls, options.rejectUnauthorized ?? true]).toEqual([true, true]);
    expect([options.ca, options.cert, options.key].map(text)).toEqual(['ca', 'cert', 'key']);
    // One file may contain both.
    expect(text(optionsOf({ ...tls, sslKeyfile: '' }).key)).toBe('cert');
    expect(optionsOf({ ...tls, verifySsl: false })).toMatchObject({ rejectUnauthorized: false });
    expect(optionsOf({ ...tls, ssl: false }).tls ?? false).toBe(false);
  });

  it('names the file that it cannot read', () => {
    const missing = join(newFolder(), 'none.pem');
    expect(() => make({ ssl: true, caPath: missing })).toThrow(
      `[database] ca_path: ENOENT: no such file or directory, stat '${missing}'; expected a PEM file`,
    );
  });

  it('uses a URL in place of everything except the name', () => {
    const url = 'mongodb://u:p%40@a,b:2/other%20db?replicaSet=rs1&tls=true';
    const { client, database, hosts } = make({ url, name: 'ignored', username: 'x', password: 'y' });
    expect([database, hosts]).toEqual(['other db', 'a:27017,b:2']);
    expect(client.options).toMatchObject({
      replicaSet: 'rs1',
      tls: true,
      credentials: { username: 'u', password: 'p@' },
    });
    for (const nameless of ['mongodb://a', 'mongodb://a/', 'mongodb://a/?tls=false'])
      expect(make({ url: nameless }).database).toBe('pulp_database');
  });

  it.each(['mongodb://', 'mongodb://u:s3cret@', 'mongodb://u:s3c/ret@a/db', 'mongodb://u:s3cret@a/?nonsense=1'])(
    'describes the expected form for %s, without the password',
    (url) => {
      expect(() => make({ url })).toThrow(/^mongodb_url: .*; expected mongodb:\/\/\[USER:PASSWORD@\]HOST/);
      expect(() => make({ url })).not.toThrow('s3c');
    },
  );
});
