import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import { packageRoot } from '../app/version.ts';

interface Options {
  readonly user?: string;
  readonly pulp2?: boolean;
  readonly socket?: boolean;
  readonly print?: boolean;
  readonly root: string;
}

interface UnitFile {
  readonly path: string;
  readonly text: string;
}

/** The name of a user or group that a unit may have. */
const USER = /^[a-zA-Z_][\w-]*\$?$/;

export const addInstallService = (command: Command): void => {
  command
    .option('--user <name>', 'an existing user to run as, instead of a user pulp-streamer, which is made')
    .option('--pulp2', 'in the place of Pulp 2’s streamer: as pulp_streamer.service, and as the user apache')
    .option('--socket', 'also sockets that systemd keeps open while the daemon restarts')
    .option('--print', 'print the files instead')
    .option('--root <folder>', 'install into the root folder of another system', '/')
    .action((options: Options) => {
      if (options.user !== undefined && !USER.test(options.user))
        throw new Error(`--user: expected the name of a user, found ${options.user}`);
      const words = [process.execPath, '--disable-sigusr1', realpathSync(process.argv[1] ?? '')];
      const files = unitFiles(options, words);
      const hidden = words.find((word) => HIDDEN.test(word));
      const problem =
        hidden && `${hidden}: a service cannot reach this folder; install the package elsewhere, such as in /opt`;
      if (options.print) {
        if (problem) process.stderr.write(`warning: ${problem}\n`);
        process.stdout.write(files.map(({ path, text }) => `# ${path}\n${text}`).join('\n'));
        return;
      }
      if (problem) throw new Error(problem);
      install(files, options);
    });
};

/** What `ProtectHome=` and `PrivateTmp=` hide from the service. */
const HIDDEN = /^\/(home|root|run\/user|tmp|var\/tmp)\//;

/** The shipped files, with the command and the user of this installation. */
const unitFiles = (options: Options, words: readonly string[]): readonly UnitFile[] => {
  const { pulp2, socket, root } = options;
  const name = pulp2 ? 'pulp_streamer' : 'pulp-streamer';
  const user = options.user ?? (pulp2 ? 'apache' : undefined);
  const unit = (shipped: string): UnitFile => ({
    path: join(root, 'etc/systemd/system', shipped.replace('pulp-streamer', name)),
    text: shippedText(shipped)
      .replace('ExecStart=/usr/bin/pulp-streamer', () => `ExecStart=${words.map(quoted).join(' ')}`)
      .replace('User=pulp-streamer', `User=${user ?? 'pulp-streamer'}`)
      .replace('Service=pulp-streamer.', `Service=${name}.`),
  });
  return [
    unit('pulp-streamer.service'),
    ...(socket ? [unit('pulp-streamer.socket'), unit('pulp-streamer-admin.socket')] : []),
    ...(user ? [] : [{ path: join(root, 'etc/sysusers.d/pulp-streamer.conf'), text: shippedText('sysusers.conf') }]),
  ];
};

const shippedText = (name: string): string => readFileSync(join(packageRoot, 'examples/systemd', name), 'utf8');

/** A word of a command line, as units spell it. */
const quoted = (word: string): string => {
  const escaped = word.replaceAll('%', '%%').replaceAll('$', '$$$$');
  return /^[\w%$/.:+@-]+$/.test(escaped) ? escaped : `"${escaped.replace(/[\\"]/g, '\\$&')}"`;
};

const install = (files: readonly UnitFile[], { root, user, pulp2 }: Options): void => {
  for (const { path, text } of files) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text, { mode: 0o644 });
    process.stdout.write(`wrote ${path}\n`);
  }
  const names = files
    .map(({ path }) => path.split('/').at(-1) ?? '')
    .filter((name) => /\.(service|socket)$/.test(name));
  const start = `systemctl enable --now ${names.join(' ')}`;
  if (root !== '/') {
    process.stdout.write(`in that system: systemd-sysusers; ${start}\n`);
    return;
  }
  if (!user && !pulp2) run('systemd-sysusers', '/etc/sysusers.d/pulp-streamer.conf');
  run('systemctl', 'daemon-reload');
  process.stdout.write(`start it: ${start}\n`);
};

const run = (program: string, ...args: readonly string[]): void => {
  const { status, error } = spawnSync(program, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) throw new Error(`${[program, ...args].join(' ')}: ${error?.message ?? `ended with ${status}`}`);
};
