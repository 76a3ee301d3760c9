import { describe, expect, it } from '@jest/globals';
import { parseImporterConfig } from '../../../src/catalog/importer-config.ts';

describe('the configuration of an importer', () => {
  it('keeps the known keys', () => {
    const known = { feed: 'http://a/', ssl_validation: false, proxy_port: 3128, max_downloads: 4, max_speed: 0.5 };
    expect(parseImporterConfig('1', { ...known, remove_missing: true, proxy_host: undefined })).toEqual(known);
  });

  it('reports each invalid key', () => {
    const wrong = { proxy_port: 65_536, ssl_ca_cert: 1, max_downloads: 1.5, max_speed: 0, ssl_validation: null };
    expect(() => parseImporterConfig('1', wrong)).toThrow(
      'importer 1: ssl_ca_cert: expected a text; ssl_validation: expected true or false; ' +
        'proxy_port: expected a whole number from 1 to 65535; max_downloads: expected a whole number above 0; ' +
        'max_speed: expected a number above 0',
    );
  });

  it.each([[null], [[]], ['{}'], [1]])('must be an object: %j', (value) => {
    expect(() => parseImporterConfig('1', value)).toThrow('importer 1: expected an object');
  });
});
