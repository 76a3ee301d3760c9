import { describe, expect, it } from '@jest/globals';
import { flagOf, flagsOf, keyOf, SETTINGS, spellingsOf, variableOf } from '../../../src/config/schema.ts';

describe('the table of settings', () => {
  it('names a setting for files, environment and command line', () => {
    expect([keyOf, variableOf, flagOf].map((nameOf) => nameOf('attemptsPerCandidate'))).toEqual([
      'attempts_per_candidate',
      'PULP_STREAMER_ATTEMPTS_PER_CANDIDATE',
      '--attempts-per-candidate',
    ]);
  });

  it('takes the names of Pulp 2, as first specified and as released', () => {
    const spelled = Object.entries(SETTINGS).flatMap(([name, setting]) =>
      spellingsOf(name, setting).map(({ section, key }) => `[${section}] ${key}`),
    );
    expect(spelled).toEqual(
      expect.arrayContaining([
        '[streamer] port',
        '[streamer] interfaces',
        '[streamer] cache_timeout',
        '[streamer] log_level',
        '[lazy] streamer_port',
        '[lazy] streamer_interface',
        '[lazy] streamer_cache_timeout',
        '[lazy] redirect_path',
        '[authentication] rsa_pub',
        '[authentication] rsa_key',
      ]),
    );
    expect(new Set(spelled).size).toBe(spelled.length);
  });

  it('declares a flag for every setting', () => {
    const flags = flagsOf();
    expect(flags.map(({ name }) => name)).toEqual(Object.keys(SETTINGS));
    expect(flags[0]).toEqual({
      name: 'port',
      flags: '--port <number>',
      description: 'TCP port that the streamer listens on. 0: any free port.',
      default: '8751',
    });
    for (const { flags: declared } of flags) expect(declared).toMatch(/^--[a-z-]+ <[A-Za-z|-]+>$/);
  });
});
