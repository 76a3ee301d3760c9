import { type Command, Option } from 'commander';
import { refusals } from '../app/refusals.ts';
import type { Trial } from '../app/trials/index.ts';
import { ConfigError } from '../config/config-error.ts';
import { type Loaded, loadSettings, PULP_FILES } from '../config/load.ts';
import { migrated } from '../config/migrate.ts';
import { withoutEffect } from '../config/no-effect.ts';
import { printSettings, settingsJson } from '../config/print.ts';
import type { Settings } from '../config/schema.ts';
import { settingsIni } from '../config/write-ini.ts';
import { asJson, oneLine } from './one-line.ts';
import { settingsOf, withSettings } from './settings.ts';

interface Options {
  readonly config?: string[];
  readonly print?: boolean;
  readonly json?: boolean;
  readonly format?: keyof typeof FORMATS;
  readonly secrets?: boolean;
  readonly migrate?: boolean;
  readonly deep?: boolean;
}

const FORMATS = {
  text: (loaded: Loaded) => printSettings(loaded),
  json: (loaded: Loaded) => `${asJson(settingsJson(loaded), 2)}\n`,
  ini: (loaded: Loaded, secrets: boolean) => settingsIni(loaded, { secrets }),
};

export const addCheckConfig = (checkConfig: Command): void => {
  const others = ['print', 'json', 'format'];
  withSettings(
    checkConfig
      .option('--print', 'show every value and its origin, secrets masked: --format text')
      .option('--json', 'the same as JSON: --format json')
      .addOption(
        new Option(
          '--format <format>',
          'how to show every value; ini: as a pulp-streamer.conf that loads back to the same settings, without secrets',
        ).choices(Object.keys(FORMATS)),
      )
      .option('--secrets', 'write secrets too, with --format ini and --migrate')
      .addOption(
        new Option(
          '--migrate',
          'make one pulp-streamer.conf of Pulp’s server.conf and streamer.conf (or of --config), with a comment for each value that was changed, renamed or has no counterpart; environment and other flags are ignored',
        ).conflicts([...others, 'deep']),
      )
      .addOption(
        new Option(
          '--deep',
          'try ports, folders, catalog or database, broker, feeds and alternate sources as well; exit status 1 if one fails',
        ).conflicts(others),
      ),
    'all',
  ).action(async (options: Options, command: Command) => {
    if (options.migrate) return write(migration(options));
    const loaded = settingsOf(command);
    const problems = await refusals(loaded.settings);
    if (problems.length > 0) throw new ConfigError(problems);
    for (const note of withoutEffect(loaded.files, loaded.settings)) process.stderr.write(`note: ${oneLine(note)}\n`);
    const format = options.format ?? (options.json ? 'json' : options.print ? 'text' : undefined);
    write(format ? FORMATS[format](loaded, options.secrets ?? false) : 'the configuration is valid\n');
    if (options.deep) await tryOut(loaded.settings);
  });
};

const write = (text: string): void => {
  process.stdout.write(text);
};

const migration = ({ config, secrets = false }: Options): string => {
  const { files, warnings } = loadSettings({ files: config, standardFiles: PULP_FILES, outsideService: true });
  const found = files.filter(({ sectionLines }) => sectionLines.size > 0);
  if (found.length === 0)
    throw new Error(`there is nothing to migrate: no section in ${files.map(({ file }) => file).join(', ')}`);
  for (const warning of warnings) process.stderr.write(`warning: ${oneLine(warning)}\n`);
  return migrated(found, { secrets });
};

const tryOut = async (settings: Settings): Promise<void> => {
  const { tryAll } = await import('../app/trials/index.ts');
  const trials: Trial[] = [];
  for await (const trial of tryAll(settings)) {
    trials.push(trial);
    const { what, found, problem } = trial;
    const said = [what, problem ?? found].filter((text) => text !== undefined).join(': ');
    write(`${problem === undefined ? 'ok  ' : 'FAIL'}  ${oneLine(said)}\n`);
  }
  const failed = trials.filter(({ problem }) => problem !== undefined);
  if (failed.length > 0) throw new Error(`${failed.length} of ${trials.length} trials failed`);
};
