import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { settingsOf } from '../../../src/config/from-options.ts';
import { DAEMON_ONLY } from '../../../src/config/groups.ts';
import { optionTypes } from '../../../src/config/option-types.ts';
import type { EmbeddedOptions, SettingOptions } from '../../../src/config/options.ts';
import type { SettingName, Settings } from '../../../src/config/schema.ts';

/** Compiles only if the two types are the same. */
type Same<A, B> = [A, B] extends [B, A] ? true : false;
/** Shares of a disk and patterns of hosts are read from texts. */
type WrittenAs<T> = T extends { readonly share: number } ? `${number}%` : T extends readonly object[] ? string : T;
const proven = <_ extends true>() => undefined;

describe('the types of options', () => {
  it('agree with the table of settings (npm run docs writes them)', () => {
    const file = new URL('../../../src/config/options.ts', import.meta.url);
    expect(readFileSync(file, 'utf8')).toBe(optionTypes());
  });

  it('have each setting, and admit what each setting can be', () => {
    proven<Same<keyof SettingOptions, SettingName>>();
    proven<Same<Exclude<SettingName, keyof EmbeddedOptions>, (typeof DAEMON_ONLY)[number]>>();
    type Written = { readonly [Name in SettingName]: WrittenAs<Settings[Name]> };
    proven<Written extends Required<SettingOptions> ? true : false>();
    proven<Same<NonNullable<SettingOptions['dispatch']>, Settings['dispatch']>>();
    proven<Same<NonNullable<SettingOptions['via']>, boolean>>();
    proven<Same<NonNullable<SettingOptions['port']>, number>>();
    expect(new Set(DAEMON_ONLY).size).toBe(DAEMON_ONLY.length);
  });

  it('refuse what is not valid', () => {
    const options: SettingOptions[] = [
      // @ts-expect-error: a misspelt word
      { dispatch: 'sav' },
      // @ts-expect-error: a misspelt name
      { dispach: 'save' },
      // @ts-expect-error: a boolean is not a text
      { via: 'yes' },
      // @ts-expect-error: a number is not a text
      { attempts: '8' },
      // @ts-expect-error: fortnights are no unit of durations
      { readTimeout: '1 fortnight' },
      // @ts-expect-error: seconds are no unit of sizes
      { sizeLimit: '10 s' },
    ];
    expect(options).toHaveLength(6);
    // @ts-expect-error: only a daemon listens on a port
    const embedded: EmbeddedOptions = { port: 8751 };
    expect(embedded).toEqual({ port: 8751 });
  });
});

describe('options', () => {
  it('are numbers, booleans, lists and objects, or texts as operators write them', () => {
    const options: SettingOptions = {
      via: false,
      listings: true,
      attempts: 3,
      readTimeout: 0.5,
      headTimeout: '250 ms',
      cacheTimeout: '2h',
      sizeLimit: 4096,
      coalesceWindow: '2 MiB',
      saveLimit: '25%',
      dispatch: 'none',
      traceFeeds: ['a.test', 'B.test'],
      feedNetworks: '10.0.0.0/8, c.test',
      indexNames: [],
      feedTlsLevels: { 'old.test': 1 },
      saveTaskArgs: ['{entry}', { a: [1] }],
      saveTaskKwargs: { key: 'value' },
      stateDir: undefined,
    };
    expect(settingsOf(options)).toMatchObject({
      ...{ via: false, listings: true, attempts: 3, readTimeout: 500, headTimeout: 250, cacheTimeout: 7_200_000 },
      ...{ sizeLimit: 4096, coalesceWindow: 2 * 1024 ** 2, saveLimit: { share: 0.25 }, dispatch: 'none' },
      ...{ traceFeeds: ['a.test', 'b.test'], feedNetworks: ['10.0.0.0/8', 'c.test'], indexNames: [] },
      ...{ feedTlsLevels: { 'old.test': 1 }, saveTaskArgs: ['{entry}', { a: [1] }], saveTaskKwargs: { key: 'value' } },
      stateDir: '/var/lib/pulp-streamer',
    });
  });

  it('imply the defaults that follow from others', () => {
    expect(settingsOf({ mongodbUrl: 'mongodb://db.test' })).toMatchObject({
      catalogType: 'mongodb',
      dispatch: 'deferred',
    });
    expect(settingsOf({ stateDir: '/s' }).catalog).toBe('/s/catalog.db');
  });

  it('that are wrong are named, all at once, and never a secret', () => {
    const wrong: object = {
      dispach: 'save',
      dispatch: 'sav',
      via: null,
      attempts: [3],
      port: 1.5,
      interfaces: ['lo', 'eth0,eth1'],
      traceFeeds: { a: 1 },
      feedTlsLevels: ['old.test=1'],
      saveTaskArgs: {},
      saveTaskKwargs: [],
      brokerUrl: { password: 's3cret' },
      toString: 'x',
    };
    expect(() => settingsOf(wrong)).toThrow(
      expect.objectContaining({
        name: 'ConfigError',
        problems: [
          'option dispach: not a setting; the nearest is dispatch',
          expect.stringMatching(/^option via: expected yes, .*; found null$/),
          'option attempts: expected a whole number from 1 to 1000; found [ 3 ]',
          expect.stringMatching(
            /^option interfaces: expected a comma-separated list.*; found \[ 'lo', 'eth0,eth1' \]$/,
          ),
          expect.stringMatching(/^option traceFeeds: expected .*; found \{ a: 1 \}$/),
          expect.stringMatching(/^option feedTlsLevels: expected .*; found \[ 'old.test=1' \]$/),
          'option saveTaskArgs: expected a JSON array; found {}',
          'option saveTaskKwargs: expected a JSON object; found []',
          'option brokerUrl: expected a text; found something else (a secret, not shown)',
          expect.stringMatching(/^option toString: not a setting; the nearest is /),
          expect.stringMatching(/^option port: expected a whole number .*; found "1.5"$/),
          'option dispatch: expected one of save, celery, deferred, none; found "sav"',
        ],
      }),
    );
  });
});
