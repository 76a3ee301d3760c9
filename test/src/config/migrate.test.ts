import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ConfigError } from '../../../src/config/config-error.ts';
import { type Loaded, loadSettings } from '../../../src/config/load.ts';
import { migrated } from '../../../src/config/migrate.ts';
import { SETTINGS, spellingsOf } from '../../../src/config/schema.ts';
import { arbitrarySettings } from '../../support/arbitrary-settings.ts';

const folder = mkdtempSync(join(tmpdir(), 'config-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Loads files of these names and texts, the later over the earlier. */
const load = (texts: Readonly<Record<string, string>>): Loaded => {
  const files = Object.entries(texts).map(([name, text]) => {
    const file = join(folder, name);
    writeFileSync(file, text);
    return file;
  });
  return loadSettings({ files });
};

const SERVER = `# Pulp's own configuration
[DEFAULT]
host: db.example.com
[server]
server_name: pulp.example.com
storage_dir: /srv/pulp
[database]
name: pulp_database
seeds: %(host)s:27017,
  db2.example.com:27017
password: s3%%cret
[lazy]
streamer_port: 80
redirect_host: pulp.example.com
[email]
host: localhost
enabled: false
`;
const STREAMER = '[streamer]\nport = 8751\ncache_timeout: 1h ; seconds\ninterfaces:\n';

describe('one pulp-streamer.conf of Pulp’s two files', () => {
  it('comments on values with another name, another text, or no counterpart', () => {
    const { files } = load({ 'server.conf': SERVER, 'streamer.conf': STREAMER });
    const text = migrated(files, { secrets: true }).replaceAll(`${folder}/`, '');
    expect(text).toBe(`# Made of server.conf and streamer.conf by pulp-streamer check-config --migrate
[streamer]

# overruled by what follows: server.conf:13: [lazy] streamer_port
port = 8751

interfaces = 

cache_timeout = 1h

# catalog_type follows from server.conf: section [database]
catalog_type = mongodb

# database_name was [database] name (server.conf:8)
database_name = pulp_database

# database_seeds was [database] seeds (server.conf:9)
# database_seeds was written "%(host)s:27017,\\ndb2.example.com:27017" (server.conf:9)
database_seeds = db.example.com:27017, db2.example.com:27017

# database_password was [database] password (server.conf:11)
# database_password was written in another way (server.conf:11)
database_password = s3%cret

# storage_dir was [server] storage_dir (server.conf:6)
storage_dir = /srv/pulp

# dispatch follows from server.conf: section [database]
dispatch = deferred

# redirect_path follows from server.conf: section [lazy]
redirect_path = /streamer/

# no counterpart: [DEFAULT] (server.conf:2); what refers to it has its values
# no counterpart: [server] server_name (server.conf:5); it is for Pulp’s own server
# no counterpart: [lazy] redirect_host (server.conf:14); it is for Pulp, which redirects clients to the streamer and downloads later what they asked for
# no counterpart: [email] host, enabled (server.conf:15); the streamer does not know it
`);
  });

  it('leaves secrets out, with a comment, unless they are requested', () => {
    const { files } = load({ 'server.conf': '[database]\npassword: hunter%%seven\n' });
    const text = migrated(files, { secrets: false });
    expect(text).not.toMatch(/hunter|seven/);
    expect(text).toContain('\n# database_password is a secret and left out; --secrets writes it\n');
  });

  /**
   * Where each text is written: in which file, by which name, and whether it is only referred to
   * there.
   */
  const places = fc.array(fc.record({ file: fc.nat(1), spelling: fc.nat(9), refers: fc.boolean() }), { minLength: 1 });

  it('loads to the same settings as the two, whatever they contain', () => {
    let valid = 0;
    fc.assert(
      fc.property(arbitrarySettings(8), places, (given, places) => {
        const texts: [string[], string[]] = [['[DEFAULT]'], ['[DEFAULT]']];
        Object.entries(given).forEach(([name, text = ''], index) => {
          const { file, spelling, refers } = places[index % places.length] ?? { file: 0, spelling: 0, refers: false };
          const all = spellingsOf(name, SETTINGS[name as keyof typeof SETTINGS]);
          const { section, key } = all[spelling % all.length] ?? { section: '', key: '' };
          const written = text.replaceAll('%', '%%').replaceAll(/\s*[\r\n]\s*/g, '\n  ');
          const lines = texts[file === 0 ? 0 : 1];
          if (refers) lines.splice(1, 0, `r${index}: ${written}`);
          lines.push(`[${section}]`, `${key}: ${refers ? `%(R${index})s` : written}`);
        });
        let both: Loaded;
        try {
          both = load({ 'server.conf': texts[0].join('\n'), 'streamer.conf': texts[1].join('\n') });
        } catch (error) {
          // A text may mean something else in Pulp's dialect, and be wrong there.
          if (error instanceof ConfigError) return;
          throw error;
        }
        valid += 1;
        const one = load({ 'pulp-streamer.conf': migrated(both.files, { secrets: true }) });
        expect(one.settings).toEqual(both.settings);
        expect(one.warnings).toEqual([]);
      }),
      { numRuns: 200 },
    );
    expect(valid).toBeGreaterThan(40);
  });
});
