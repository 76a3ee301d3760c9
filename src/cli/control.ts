import { type Command, InvalidArgumentError } from 'commander';
import type { Reloaded } from '../app/reload.ts';
import type { Status } from '../app/status.ts';
import { ConfigError } from '../config/config-error.ts';
import { wait } from '../config/kinds.ts';
import { messageOf } from '../lib/thrown.ts';
import { askDaemon, type ControlAnswer, NotRunning } from './control-client.ts';
import { oneLine } from './one-line.ts';
import { controlSocketOf, withSettings } from './settings.ts';
import { describeStatus } from './status-text.ts';

/** As of plugins of Nagios: fine, warning, critical, unknown. */
const EXIT = {
  ready: 0,
  degraded: 1,
  draining: 1,
  stopping: 2,
  unavailable: 2,
  notRunning: 2,
  unknown: 3,
} as const;

const prepared = (command: Command): Command => withSettings(command, ['stateDir', 'controlSocket']);
const write = (text: string): void => {
  process.stdout.write(text);
};

export const addStatus = (command: Command): void => {
  prepared(
    command
      .option('--json', 'print JSON')
      .option('--ready', 'only whether requests are served, also if degraded: exit status 0 or 1, for containers'),
  ).action(async ({ json, ready }: { readonly json?: boolean; readonly ready?: boolean }, command: Command) => {
    try {
      if (ready) {
        const { status, text } = await askDaemon(controlSocketOf(command), 'GET', '/readyz');
        write(text);
        process.exitCode = status === 200 ? 0 : 1;
        return;
      }
      const { text } = expected(await askDaemon(controlSocketOf(command), 'GET', '/status'));
      const status: Status = JSON.parse(text);
      write(json ? `${JSON.stringify(status, null, 2)}\n` : describeStatus(status));
      process.exitCode = EXIT[status.state];
    } catch (error) {
      if (error instanceof ConfigError) throw error;
      const isDown = error instanceof NotRunning;
      if (json && isDown) write(`${JSON.stringify({ state: 'not running' }, null, 2)}\n`);
      process.stderr.write(`${isDown ? '' : 'error: '}${oneLine(messageOf(error))}\n`);
      process.exitCode = ready ? 1 : isDown ? EXIT.notRunning : EXIT.unknown;
    }
  });
};

export const addReload = (command: Command): void => {
  prepared(command).action(async (_: unknown, command: Command) => {
    const answer = await askDaemon(controlSocketOf(command), 'POST', '/reload');
    if (answer.status === 422) throw new ConfigError(reasonsIn(answer.text));
    const { applied, restartNeeded, warnings }: Reloaded = JSON.parse(expected(answer).text);
    for (const warning of warnings) process.stderr.write(`warning: ${oneLine(warning)}\n`);
    write(applied.length > 0 ? `reloaded, changed: ${applied.join(', ')}\n` : 'reloaded, no setting has changed\n');
    if (restartNeeded.length > 0) write(`these need a restart: ${restartNeeded.join(', ')}\n`);
  });
};

/** The problems of a ConfigError, from its message. */
const reasonsIn = (text: string): readonly string[] =>
  text
    .trimEnd()
    .split('\n')
    .filter((line) => !/^the configuration is not valid:$/.test(line))
    .map((line) => line.trim());

interface DrainOptions {
  readonly quiet: number;
  readonly timeout?: number;
  readonly off?: boolean;
}

/** Milliseconds. */
const duration = (text: string): number => {
  const read = wait(0).read(text);
  if (read === undefined) throw new InvalidArgumentError(`expected ${wait(0).expected}`);
  return read;
};

export const addDrain = (command: Command): void => {
  prepared(
    command
      .option('--quiet <duration>', 'wait until no request has run for so long', duration, 5_000)
      .option('--timeout <duration>', 'fail with status 1 after this time; the daemon stays drained', duration)
      .option('--off', 'let new requests come again'),
  ).action(async ({ quiet, timeout, off }: DrainOptions, command: Command) => {
    const controlSocket = controlSocketOf(command);
    if (off) {
      expected(await askDaemon(controlSocket, 'POST', '/undrain'));
      return write('requests may come again\n');
    }
    const signal = timeout === undefined ? undefined : AbortSignal.timeout(timeout);
    try {
      const { text } = expected(await askDaemon(controlSocket, 'POST', `/drain?quiet=${quiet}`, signal));
      if (!JSON.parse(text).drained) throw new Error('draining was ended by `drain --off`');
    } catch (error) {
      if (signal?.aborted)
        throw new Error(`requests still run or come after ${(timeout ?? 0) / 1000} s; the daemon stays drained`);
      throw error;
    }
    write('drained: no request runs\n');
  });
};

/** Throws if the daemon could not answer. */
const expected = (answer: ControlAnswer): ControlAnswer => {
  if (answer.status !== 200) throw new Error(`the daemon answered ${answer.status}: ${answer.text.trimEnd()}`);
  return answer;
};
