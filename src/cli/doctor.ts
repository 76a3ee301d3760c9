import type { Command } from 'commander';
import type { Checkup } from '../app/doctor/checkup.ts';
import type { Asked } from '../app/doctor/daemon.ts';
import type { Status } from '../app/status.ts';
import { ConfigError } from '../config/config-error.ts';
import { messageOf } from '../lib/thrown.ts';
import { askDaemon, NotRunning } from './control-client.ts';
import { oneLine } from './one-line.ts';
import { loadedFor, withSettings } from './settings.ts';

/** As of plugins of Nagios; a configuration that `serve` would refuse is EX_CONFIG. */
const EXIT = { ok: 0, warning: 1, problem: 2 } as const;
const REFUSED = 78;

const MARK = { ok: 'ok  ', warning: 'WARN', problem: 'FAIL' } as const;

export const addDoctor = (command: Command): void => {
  withSettings(command.option('--json', 'print JSON'), 'all').action(
    async ({ json }: { readonly json?: boolean }, command: Command) => {
      const checkups: Checkup[] = [];
      for await (const checkup of examined(command)) {
        checkups.push(checkup);
        if (!json) process.stdout.write(described(checkup));
      }
      const count = (state: Checkup['state']) => checkups.filter((one) => one.state === state).length;
      const [problems, warnings] = [count('problem'), count('warning')];
      process.stdout.write(
        json
          ? `${JSON.stringify({ problems, warnings, checkups }, null, 2)}\n`
          : `problems: ${problems}, warnings: ${warnings}, of ${checkups.length} checks\n`,
      );
      const worst = problems > 0 ? 'problem' : warnings > 0 ? 'warning' : 'ok';
      const isRefused = checkups.some(({ area, state }) => area === 'configuration' && state === 'problem');
      process.exitCode = isRefused ? REFUSED : EXIT[worst];
    },
  );
};

async function* examined(command: Command): AsyncGenerator<Checkup> {
  const { examine, refusal } = await import('../app/doctor/examine.ts');
  try {
    const loaded = loadedFor(command);
    yield* examine(loaded, await asked(loaded.settings.controlSocket));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    yield* error.problems.map(refusal);
  }
}

const asked = async (socket: string): Promise<Asked> => {
  try {
    const { status, text } = await askDaemon(socket, 'GET', '/status');
    return status === 200
      ? { status: JSON.parse(text) as Status }
      : { problem: `it answered ${status}: ${text.trimEnd()}` };
  } catch (error) {
    return error instanceof NotRunning ? 'not running' : { problem: messageOf(error) };
  }
};

const described = ({ state, what, found, advice }: Checkup): string => {
  const said = [what, found].filter((text) => text !== undefined).join(': ');
  return `${MARK[state]}  ${oneLine(said)}\n${advice === undefined ? '' : `      ${oneLine(advice)}\n`}`;
};
