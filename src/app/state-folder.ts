import { join, relative, sep } from 'node:path';
import type { Logger } from 'pino';
import type { Settings } from '../config/schema.ts';
import { type Finding, narrowFile, narrowFolder } from '../lib/narrow.ts';

type Places = Pick<Settings, 'stateDir' | 'catalog' | 'saveDir'>;

/** Where wishes to save wait. */
export const outboxFile = ({ stateDir }: Pick<Settings, 'stateDir'>): string => join(stateDir, 'outbox.db');

/** Where the daemon says which sources are not well. */
export const healthFile = ({ stateDir }: Pick<Settings, 'stateDir'>): string => join(stateDir, 'sources.json');

/** What SQLite keeps beside a database, in the same mode as it had when they were made. */
const BESIDE = ['-wal', '-shm', '-journal'];

/**
 * Takes the permissions of other users from what the streamer keeps, and returns what it found. A folder is narrowed only if it holds
 * nothing but the streamer's own, so never `/` or `/tmp`. Saved copies are not looked at: no other user passes the folder above them.
 */
export const narrowState = ({ stateDir, catalog, saveDir }: Places): readonly Finding[] => {
  const outbox = outboxFile({ stateDir });
  const health = healthFile({ stateDir });
  const own = [catalog, outbox, health, saveDir].map((path) => relative(stateDir, path).split(sep)[0]);
  return [
    narrowFolder(stateDir, (name) => name === LOST || own.some((one) => one && isOrIsBeside(one, name))),
    narrowFolder(saveDir, (name) => name === LOST || COPIES.test(name)),
    ...[catalog, outbox].flatMap((file) => [file, ...BESIDE.map((end) => file + end)]).map(narrowFile),
    narrowFile(health),
  ].filter((finding) => finding !== undefined);
};

/** In the topmost folder of many file systems. */
const LOST = 'lost+found';
/** What a folder of saved copies holds. */
const COPIES = /^(\.partial|[0-9a-f]{2})$/;

/** Also a copy that somebody made of a database: `catalog.db.bak`. */
const isOrIsBeside = (own: string, name: string): boolean =>
  name === own || name.startsWith(`${own}-`) || name.startsWith(`${own}.`);

/** One line for what was narrowed, one for what was left alone. */
export const logFindings = (logger: Logger, findings: readonly Finding[]): void => {
  const narrowed = findings.filter((one) => one.narrowed);
  const kept = findings.filter((one) => one.kept);
  if (narrowed.length > 0) logger.warn({ files: narrowed }, 'files were open to other users, narrowed');
  if (kept.length > 0) logger.warn({ files: kept }, 'owner or mode of files is not as it should be, left alone');
};

/** The same for people at a terminal. */
export const describeFindings = (findings: readonly Finding[]): string =>
  findings
    .map(({ path, mode, narrowed, kept }) =>
      narrowed
        ? `warning: ${path} was open to other users (mode ${mode}), its mode is ${narrowed} now\n`
        : `warning: ${path} keeps its mode ${mode}: ${kept}\n`,
    )
    .join('');
