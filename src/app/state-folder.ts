import { homedir } from 'node:os';
import { basename, dirname, join, relative, sep } from 'node:path';
import type { Logger } from 'pino';
import { ConfigError } from '../config/config-error.ts';
import { keyOf, SETTINGS, type SettingName, type Settings } from '../config/schema.ts';
import { type FileLock, lockFile } from '../lib/lock-file.ts';
import { type Finding, narrowFile, narrowFolder } from '../lib/narrow.ts';
import { BESIDE } from '../lib/put-aside.ts';
import { isRefusedByDisk } from '../lib/sqlite-errors.ts';
import { messageOf } from '../lib/thrown.ts';
import { describeObstacle, fileObstacle, folderObstacle } from '../lib/usable.ts';
import type { Conditions } from '../observe/conditions.ts';

type Places = Pick<Settings, 'stateDir' | 'catalog' | 'saveDir' | 'spillDir'>;
type SharedPlaces = Places & Partial<Pick<Settings, 'shareCopies' | 'controlSocket' | 'logFile'>>;

/** The file of waiting save requests. */
export const outboxFile = ({ stateDir }: Pick<Settings, 'stateDir'>): string => join(stateDir, 'outbox.db');

/** The file in which the daemon records unhealthy sources. */
export const healthFile = ({ stateDir }: Pick<Settings, 'stateDir'>): string => join(stateDir, 'sources.json');

/** Files of metadata that the catalog was read from. */
export const metadataFolder = ({ stateDir }: Pick<Settings, 'stateDir'>): string => join(stateDir, 'metadata');

/** The figures of each day. */
export const worthFolder = ({ stateDir }: Pick<Settings, 'stateDir'>): string => join(stateDir, 'report');

/** What is remembered of uploads to an object store that are not finished. */
export const uploadsFolder = ({ stateDir }: Pick<Settings, 'stateDir'>): string => join(stateDir, 'uploads');

const lockOf = ({ stateDir }: Pick<Settings, 'stateDir'>): string => join(stateDir, 'daemon.lock');

/**
 * Keeps daemons from using the state folder until it is released; `undefined` if one does. Throws if
 * the disk permits no lock.
 */
export const lockState = (settings: Pick<Settings, 'stateDir'>): FileLock | undefined => lockFile(lockOf(settings));

/**
 * Makes this process the only one that delivers what waits in the state folder, until the returned
 * function is called. Throws if another process is, also in another container. If the disk permits
 * no lock, that is a condition, and it is tried again: until then the disk permits no deliveries
 * either.
 */
export const ownState = ({ stateDir }: Pick<Settings, 'stateDir'>, conditions: Conditions): (() => void) => {
  let lock: FileLock | undefined;
  let again: NodeJS.Timeout | undefined;
  const take = () => {
    lock = lockState({ stateDir });
    if (!lock) throw new Error(`another pulp-streamer is using ${stateDir}`);
    conditions.clear('state folder');
  };
  const takeLater = (reason: unknown) => {
    conditions.set('state folder', messageOf(reason));
    again = setTimeout(() => {
      try {
        take();
      } catch (error) {
        takeLater(error);
      }
    }, LOCK_AGAIN).unref();
  };
  try {
    take();
  } catch (error) {
    if (!isRefusedByDisk(error))
      throw new Error(`state_dir: ${messageOf(error)}; stop it, or give this one another state_dir`, { cause: error });
    takeLater(error);
  }
  return () => {
    clearTimeout(again);
    lock?.release();
  };
};

/** Milliseconds until a lock that the disk refused is tried again. */
const LOCK_AGAIN = 1_000;

/**
 * The folders that the streamer writes to, each with its setting. That of the copies counts only if
 * copies are kept.
 */
export const stateFolders = ({
  stateDir,
  catalog,
  saveDir,
  dispatch,
  saveUrl,
}: Places & Pick<Settings, 'dispatch' | 'saveUrl'>): ReadonlyMap<string, SettingName> =>
  new Map([
    [stateDir, 'stateDir'],
    ...([':memory:', join(stateDir, basename(catalog))].includes(catalog)
      ? []
      : [[dirname(catalog), 'catalog'] as const]),
    ...(dispatch === 'save' && saveUrl === '' ? [[saveDir, 'saveDir'] as const] : []),
  ]);

/**
 * Throws a ConfigError if this user cannot write to the streamer's folders and files: the message
 * names each, and the command with which root changes that.
 */
export const checkState = (settings: Places & Pick<Settings, 'dispatch' | 'saveUrl'>): void => {
  const problems = [
    ...[...stateFolders(settings)].map(([folder, name]) => [name, folderObstacle(folder)] as const),
    ['catalog', fileObstacle(settings.catalog)] as const,
    ['stateDir', fileObstacle(outboxFile(settings))] as const,
    // A read-only file system is not a mistake of the settings: what can be read is served.
  ].flatMap(([name, obstacle]) =>
    obstacle && !obstacle.readOnly ? [`${keyOf(name)}: ${describeObstacle(obstacle)}`] : [],
  );
  if (problems.length === 0) return;
  const own =
    settings.stateDir === SETTINGS.stateDir.default
      ? [`Or choose a folder of your own: --state-dir ${ownFolder()}`]
      : [];
  throw new ConfigError([...problems, ...own]);
};

/** Where programs that a user starts keep their state (XDG Base Directory Specification). */
const ownFolder = (): string => join(process.env.XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'pulp-streamer');

/** Throws a ConfigError if the group that is to read copies could not enter the folder above them. */
export const checkSharing = ({
  dispatch,
  shareCopies,
  saveDir,
  saveUrl,
  stateDir,
}: SharedPlaces & Pick<Settings, 'dispatch' | 'saveUrl'>) => {
  if (dispatch === 'save' && saveUrl === '' && shareCopies && saveDir.startsWith(`${stateDir}${sep}`))
    throw new ConfigError([
      'share_copies: save_dir lies in state_dir, which no group may enter; set save_dir to a folder elsewhere',
    ]);
};

/**
 * Removes the permissions of other users from the streamer's files, and returns its findings. A
 * folder is narrowed only if it holds nothing but the streamer's files, so never `/` or `/tmp`.
 * Saved copies are left out: no other user can pass the folder above them.
 */
export const narrowState = ({
  stateDir,
  catalog,
  saveDir,
  spillDir,
  shareCopies,
  controlSocket = '',
  logFile = '',
}: SharedPlaces): readonly Finding[] => {
  const outbox = outboxFile({ stateDir });
  const health = healthFile({ stateDir });
  const own = [
    ...[catalog, outbox, health, lockOf({ stateDir }), metadataFolder({ stateDir }), worthFolder({ stateDir })],
    uploadsFolder({ stateDir }),
    ...[saveDir, spillDir, controlSocket, logFile].filter((path) => path !== ''),
  ].map((path) => relative(stateDir, path).split(sep)[0]);
  const findings = [
    narrowFolder(stateDir, (name) => name === LOST || own.some((one) => one && isOrIsBeside(one, name))),
    narrowFolder(saveDir, (name) => name === LOST || COPIES.test(name), shareCopies ? GROUP_ENTERS : 0),
    // What waits there has no name.
    narrowFolder(spillDir, () => false),
    ...[catalog, outbox].flatMap((file) => [file, ...BESIDE.map((end) => file + end)]).map(narrowFile),
    narrowFile(health),
    ...(controlSocket === '' ? [] : [narrowFile(`${controlSocket}.lock`)]),
  ].filter((finding) => finding !== undefined);
  // Nothing is known of what lies in a folder that this process may not pass: the folder is enough.
  const isHidden = ({ path, mode }: Finding) =>
    mode === 'unknown' && findings.some((other) => path.startsWith(`${other.path}${sep}`));
  return findings.filter((finding) => !isHidden(finding));
};

/** The permissions that the group of shared copies keeps. */
const GROUP_ENTERS = 0o050;
/** In the topmost folder of many file systems. */
const LOST = 'lost+found';
/** Names in a folder of saved copies. */
const COPIES = /^(\.partial|[0-9a-f]{2})$/;

/** Also a backup of a database: `catalog.db.bak`. */
const isOrIsBeside = (own: string, name: string): boolean =>
  name === own || name.startsWith(`${own}-`) || name.startsWith(`${own}.`);

/** One line for what was narrowed, one for what was left alone. */
export const logFindings = (logger: Logger, findings: readonly Finding[]): void => {
  const narrowed = findings.filter((one) => one.narrowed);
  const kept = findings.filter((one) => one.kept);
  if (narrowed.length > 0)
    logger.warn({ files: narrowed }, 'files were accessible to other users, permissions removed');
  if (kept.length > 0) logger.warn({ files: kept }, 'owner or mode of files is unsafe, left unchanged');
};

/** The same for a terminal. */
export const describeFindings = (findings: readonly Finding[]): string =>
  findings
    .map(({ path, mode, narrowed, kept }) =>
      narrowed
        ? `warning: ${path} was accessible to other users (mode ${mode}), its mode is now ${narrowed}\n`
        : `warning: ${path} keeps its mode ${mode}: ${kept}\n`,
    )
    .join('');
