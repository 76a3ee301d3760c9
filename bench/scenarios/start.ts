import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { openSqliteCatalog } from '../../src/catalog/sqlite/catalog.ts';
import type { Scenario } from '../bench.ts';
import { type Contender, hold, median } from '../contest.ts';
import { cpuOf, gone, NO_FILE, pinned } from '../machine.ts';

const PATH = '/bench/file';

/** What a start of each command costs, beside a start of Node that runs nothing. */
export const start: Scenario = async ({ sizes, cores, main, folder }) => {
  const state = folder('start');
  const catalog = openSqliteCatalog(join(state, 'catalog.db'));
  const importerId = catalog.importers.add({ config: {} }).id;
  const url = 'http://127.0.0.1:9/file';
  catalog.entries.add({ path: PATH, importerId, unitId: 'unit', unitTypeId: 'rpm', url, data: {} });
  catalog.close();

  const contender = (
    own: Pick<Contender, 'id' | 'name' | 'ours'>,
    args: readonly string[],
    run: (command: readonly [string, ...string[]]) => Promise<number>,
  ): Contender => {
    const times: number[] = [];
    return {
      ...own,
      run: async () => {
        let cpu = 0;
        for (let left = sizes.starts; left > 0; left -= 1) {
          const began = performance.now();
          cpu += await run(pinned(cores?.contender, [process.execPath, ...args]));
          times.push(performance.now() - began);
        }
        return (1000 * cpu) / sizes.starts;
      },
      also: () => `${median(times).toFixed(0)} ms by the clock`,
    };
  };
  const standard = ['--config', NO_FILE, '--state-dir', state];
  const command = (id: string, name: string, ...args: string[]) =>
    contender({ id: `start-${id}`, name, ours: true }, [main, ...args], toItsEnd);
  return [
    await hold({
      title: 'Starting',
      unit: 'CPU ms',
      rounds: sizes.rounds,
      contenders: [
        contender({ id: 'node', name: 'Node, running nothing' }, ['-e', '0'], toItsEnd),
        contender(
          { id: 'start-serve', name: 'serve, until it is ready', ours: true },
          [main, 'serve', '--port', '0', ...standard],
          untilReady,
        ),
        command('help', '--help', '--help'),
        command('explain', 'explain', 'explain', PATH, ...standard),
        command('check-config', 'check-config', 'check-config', ...standard),
        command('list', 'catalog list', 'catalog', 'list', ...standard),
      ],
    }),
  ];
};

/** CPU seconds of a command, in milliseconds as the shell counts them. Rejects if it fails. */
export const toItsEnd = async (command: readonly [string, ...string[]]): Promise<number> => {
  const script = 'TIMEFORMAT="%3U %3S"; { time "$@" >/dev/null 2>&1; } 2>&1; exit $?';
  const child = spawn('bash', ['-c', script, 'bash', ...command], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (text: Buffer) => {
    output += text;
  });
  await once(child, 'close');
  if (child.exitCode !== 0) throw new Error(`${command.join(' ')} ended with ${child.exitCode}`);
  return output
    .trim()
    .split(' ')
    .reduce((sum, seconds) => sum + Number(seconds), 0);
};

/** CPU seconds of the daemon when it logs that it is ready. Rejects if it ends before that. */
const untilReady = async ([command, ...args]: readonly [string, ...string[]]): Promise<number> => {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    for await (const line of createInterface(child.stdout))
      if (JSON.parse(line).msg === 'ready') return cpuOf(child.pid ?? 0);
    throw new Error(`${[command, ...args].join(' ')} ended before it was ready`);
  } finally {
    child.kill('SIGKILL');
    await gone(child);
  }
};
