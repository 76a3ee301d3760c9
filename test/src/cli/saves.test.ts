import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { Command } from 'commander';
import { firstValueFrom } from 'rxjs';
import { addSavesCommands } from '../../../src/cli/saves.ts';
import { openOutbox } from '../../../src/saves/outbox/open.ts';
import { anEntry } from '../../support/pipeline.ts';
import { temporaryFolders } from '../../support/temporary.ts';

const folder = temporaryFolders();
const onError = (error: Error) => {
  throw error;
};

/** The commands over an outbox in which these units wait; the first one was put off for an hour. */
const makeCli = async (...units: string[]) => {
  const file = join(folder(), 'outbox.db');
  if (units.length > 0) {
    const outbox = openOutbox(file, { onError });
    for (const unitId of units)
      outbox.append({ requestId: `r-${unitId}`, entry: anEntry({ unitId, path: `/${unitId}` }) });
    const due = firstValueFrom(outbox.due);
    await setImmediate();
    outbox.putOff(await due, 3_600_000, 'no broker');
    outbox.close();
  }
  const run = async (...args: string[]): Promise<string> => {
    const stdout = new PassThrough();
    const program = new Command('pulp-streamer').exitOverride();
    addSavesCommands(program.command('saves'), {
      prepare: (command) => command.exitOverride().configureOutput({ writeErr: () => {} }),
      outboxFile: () => file,
      stdout,
    });
    const said = text(stdout);
    await program.parseAsync(['saves', ...args], { from: 'user' }).finally(() => stdout.end());
    return said;
  };
  const waiting = async () => JSON.parse(await run('list', '--json'));
  return { file, run, waiting };
};

describe('saves', () => {
  it('list what waits, and why', async () => {
    const { run, waiting } = await makeCli('a', 'b');
    expect(await waiting()).toEqual([
      {
        id: 1,
        unit_id: 'a',
        unit_type_id: 'rpm',
        path: '/a',
        request_id: 'r-a',
        age: expect.any(Number),
        due_in: expect.any(Number),
        failures: 1,
        reason: 'no broker',
      },
      expect.objectContaining({ id: 2, unit_id: 'b', due_in: 0, failures: 0 }),
    ]);
    expect(await run('list')).toMatch(/^1\t\d+ s\t1\tin \d+ s\ta\t\/a\tno broker\n2\t\d+ s\t0\tnow\tb\t\/b\t-\n$/);
  });

  it('retry makes due what was put off', async () => {
    const { run, waiting } = await makeCli('a', 'b');
    expect(await run('retry', '1')).toBe('rescheduled 1 save\n');
    expect(await waiting()).toMatchObject([{ due_in: 0 }, { due_in: 0 }]);
    expect(await run('retry', '--all', '--json')).toBe('{"rescheduled":0}\n');
  });

  it('drop forgets some, or all', async () => {
    const { run, waiting } = await makeCli('a', 'b', 'c');
    expect(await run('drop', '1', '3')).toBe('dropped 2 saves\n');
    expect(await waiting()).toMatchObject([{ unit_id: 'b' }]);
    expect(await run('drop', '--all', '--json')).toBe('{"dropped":1}\n');
    expect(await waiting()).toEqual([]);
  });

  it('find nothing without an outbox, and create none', async () => {
    const { file, run, waiting } = await makeCli();
    expect(await waiting()).toEqual([]);
    expect(await run('drop', '--all')).toBe('dropped 0 saves\n');
    expect(existsSync(file)).toBe(false);
  });

  it.each([
    [['drop'], 'give either ids or --all'],
    [['retry', '1', '--all'], 'give either ids or --all'],
    [['drop', 'one'], "'one' is not an id, expected a number"],
    [['drop', '1', '7'], '7 is not waiting'],
  ])('refuse: saves %j, and change nothing', async (args, message) => {
    const { run, waiting } = await makeCli('a');
    await expect(run(...args)).rejects.toThrow(message);
    expect(await waiting()).toHaveLength(1);
  });
});
