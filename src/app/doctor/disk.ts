import { readdirSync, statfsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Settings } from '../../config/schema.ts';
import { codeOf, messageOf } from '../../lib/thrown.ts';
import { outboxFile, stateFolders } from '../state-folder.ts';
import { type Checkup, finding, fine } from './checkup.ts';

const GIB = 1024 ** 3;
/** Below either, the disk will soon be full, or is. */
const LOW = { share: 0.05, bytes: GIB } as const;
const FULL = { share: 0.005, bytes: GIB / 16 } as const;

/** Free space and free inodes of each file system that the daemon writes to, and files there that are no longer needed. */
export const examineDisk = (settings: Settings): readonly Checkup[] => {
  const { spillDir, logFile, stateDir } = settings;
  const folders = [...stateFolders(settings).keys(), spillDir, ...(logFile === '' ? [] : [dirname(logFile)])];
  const byDisk = new Map<number, string[]>();
  for (const folder of folders.flatMap(existing)) {
    const { dev } = statSync(folder);
    byDisk.set(dev, [...new Set([...(byDisk.get(dev) ?? []), folder])]);
  }
  return [...[...byDisk.values()].map(examine), ...oversized(settings), ...leftovers(stateDir)];
};

/** The folder, or the nearest one above it that is there. */
const existing = (folder: string): readonly string[] => {
  try {
    statSync(folder);
    return [folder];
  } catch (error) {
    return codeOf(error) === 'ENOENT' && dirname(folder) !== folder ? existing(dirname(folder)) : [];
  }
};

const examine = (folders: readonly string[]): Checkup => {
  const what = `disk of ${folders.join(', ')}`;
  try {
    const { bavail, blocks, bsize, files, ffree } = statfsSync(folders[0] ?? '/');
    const free = bavail * bsize;
    // Some file systems make inodes as they are needed, and state none.
    const share = Math.min(bavail / blocks, files > 0 ? ffree / files : 1);
    const found = `${(free / GIB).toFixed(1)} GiB of ${((blocks * bsize) / GIB).toFixed(1)} GiB free${
      files > 0 ? `, ${Math.round((100 * ffree) / files)} % of the inodes` : ''
    }`;
    const isBelow = (limit: { readonly share: number; readonly bytes: number }) =>
      share < limit.share || free < limit.bytes;
    if (!isBelow(LOW)) return fine('disk', what, found);
    return finding(
      isBelow(FULL) ? 'problem' : 'warning',
      'disk',
      what,
      found,
      'remove what is not needed (pulp-streamer copies purge, catalog vacuum), lower save_limit, or enlarge the disk',
    );
  } catch (error) {
    return finding('problem', 'disk', what, messageOf(error), 'mount it again');
  }
};

/** Bytes from which a file that is kept small has not been. */
const OVERSIZED = { log: 2 * GIB, wal: GIB / 4 } as const;

const oversized = (settings: Settings): readonly Checkup[] =>
  [
    {
      file: settings.logFile,
      limit: OVERSIZED.log,
      advice: 'rotate it: examples/logrotate/pulp-streamer belongs in /etc/logrotate.d',
    },
    ...[settings.catalog, outboxFile(settings)].map((database) => ({
      file: `${database}-wal`,
      limit: OVERSIZED.wal,
      advice:
        'end what reads the database all the time, such as a backup that hangs; then the daemon makes it small again',
    })),
  ].flatMap(({ file, limit, advice }) => {
    const size = file === '' ? 0 : (statSync(file, { throwIfNoEntry: false })?.size ?? 0);
    return size > limit ? [finding('warning', 'disk', file, `${(size / GIB).toFixed(1)} GiB long`, advice)] : [];
  });

/** What was put aside for an operator to look at. */
const LEFT = /\.(damaged|replaced)-[\dT.:Z-]+$/;

const leftovers = (stateDir: string): readonly Checkup[] => {
  try {
    return readdirSync(stateDir)
      .filter((name) => LEFT.test(name))
      .map((name) =>
        finding(
          'warning',
          'disk',
          join(stateDir, name),
          name.includes('.damaged-') ? 'a damaged database that was put aside' : 'a database that `restore` replaced',
          'remove it when nothing in it is needed',
        ),
      );
  } catch {
    // The checkup of the folder has the reason.
    return [];
  }
};
