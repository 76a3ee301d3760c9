import { spawnSync } from 'node:child_process';
import { appendFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import {
  clearUploads,
  leftLogs,
  logsOfEnded,
  nameInLogs,
  openUploadLog,
} from '../../../../src/saves/objects/upload-log.ts';
import { temporaryFolders } from '../../../support/folder.ts';

const newFolder = temporaryFolders();

it('an upload that did not end is aborted by the next start, also if the last line is incomplete', async () => {
  const folder = join(newFolder(), 'uploads');
  expect(await leftLogs(folder)).toEqual([]);
  const log = openUploadLog(folder, 'killed');
  await Promise.all(['1', '2'].map((upload) => log.began({ name: `ab/${upload}.rpm`, upload })));
  await log.ended({ name: 'ab/1.rpm', upload: '1' });
  appendFileSync(join(folder, 'killed.uploads'), '{"name":"ab/3');
  const left = await leftLogs(folder);
  // What begins now is another process's.
  await openUploadLog(folder, 'next').began({ name: 'ab/4.rpm', upload: '4' });
  const aborted: string[] = [];
  await clearUploads(left, async ({ upload }) => void aborted.push(upload));
  expect([aborted, readdirSync(folder)]).toEqual([['1', '2'], ['next.uploads']]);
});

it('an upload of a process of the same daemon is aborted once that has ended, and not before', async () => {
  const folder = join(newFolder(), 'uploads');
  const ended = spawnSync(process.execPath, ['--eval', '']).pid;
  const names = [nameInLogs('one', ended), nameInLogs('one'), nameInLogs('other', ended), 'one.x', `oneself.${ended}`];
  for (const name of names) await openUploadLog(folder, name).began({ name: `ab/${name}.rpm`, upload: name });
  const logs = await logsOfEnded(folder, 'one');
  expect(logs).toEqual([join(folder, `one.${ended}.uploads`)]);
  const aborted: string[] = [];
  const abort = async ({ upload }: { readonly upload: string }) => void aborted.push(upload);
  // Two processes may find it at once.
  await Promise.all([clearUploads(logs, abort), clearUploads(logs, abort)]);
  expect(new Set(aborted)).toEqual(new Set([`one.${ended}`]));
  expect(await logsOfEnded(folder, 'one')).toEqual([]);
  expect(await leftLogs(folder)).toHaveLength(4);
});

it('a log goes when nothing is unfinished, and stays while the store cannot abort', async () => {
  const folder = join(newFolder(), 'uploads');
  const log = openUploadLog(folder, 'one');
  const upload = { name: 'ab/1.rpm', upload: '1' };
  await log.began(upload);
  const refused = clearUploads(await leftLogs(folder), () => Promise.reject(new Error('down')));
  await expect(refused).rejects.toThrow('down');
  expect(readdirSync(folder)).toEqual(['one.uploads']);
  await log.ended(upload);
  expect(readdirSync(folder)).toEqual([]);
});
