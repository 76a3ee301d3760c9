import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Manifest } from '../app/backup/archive.ts';
import { leftOut } from '../app/backup/content.ts';
import { checkState } from '../app/state-folder.ts';
import type { Settings } from '../config/schema.ts';
import { oneLine } from './one-line.ts';
import { stateOf, withSettings } from './settings.ts';

interface Options {
  readonly json?: boolean;
  readonly replace?: boolean;
  readonly check?: boolean;
}

const NAMES = ['stateDir', 'catalog', 'saveDir'] as const;

export const addBackup = (command: Command): void => {
  withSettings(
    command.option('--replace', 'replace the file if it is there').option('--json', 'print JSON'),
    NAMES,
  ).action(async (file: string, { replace, json }: Options, command: Command) => {
    const settings = stateOf(command);
    const { backUp } = await import('../app/backup/back-up.ts');
    report('backed up to', file, await backUp(settings, resolve(file), { replace }), json);
    warn(settings);
  });
};

export const addRestore = (command: Command): void => {
  withSettings(
    command
      .option('--check', 'only read all of the file and compare it with its checksums')
      .option('--json', 'print JSON'),
    NAMES,
  ).action(async (file: string, { check, json }: Options, command: Command) => {
    const { checkBackup, restore } = await import('../app/backup/restore.ts');
    if (check) return report('whole:', file, await checkBackup(resolve(file)), json);
    const settings = stateOf(command);
    // Without copies: none are restored.
    checkState({ ...settings, dispatch: 'none' });
    const restored = await restore(settings, resolve(file));
    report('restored from', file, restored, json);
    for (const former of restored.former)
      process.stderr.write(`note: the former one is ${oneLine(former)}; remove it when it is not needed\n`);
    warn(settings);
  });
};

const report = (done: string, file: string, manifest: Manifest, json: boolean | undefined): void => {
  const { made, version, files } = manifest;
  const others = files.filter(({ name }) => !name.endsWith('.db')).length;
  const databases = files.filter(({ name }) => name.endsWith('.db')).map(({ name, size }) => `${name} (${size} bytes)`);
  const text = `${done} ${oneLine(file)}: ${[...databases, `${others} files of metadata`].join(', ')}, of ${made} by version ${version}`;
  process.stdout.write(`${json ? JSON.stringify(manifest) : text}\n`);
};

const warn = (settings: Settings): void => {
  const left = leftOut(settings);
  if (left !== undefined) process.stderr.write(`note: ${left}\n`);
};
