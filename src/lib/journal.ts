import { fstatSync } from 'node:fs';

/** Priorities of syslog, for lines of the journal. */
export const PRIORITY = { critical: 2, error: 3, warning: 4, info: 6, debug: 7 } as const;

/**
 * Whether standard output or standard error leads to systemd's journal. It then reads `<N>` at the
 * beginning of a line as its priority (`sd-daemon(3)`).
 */
export const leadsToJournal = (fd: 1 | 2, { JOURNAL_STREAM }: NodeJS.ProcessEnv): boolean => {
  if (!JOURNAL_STREAM) return false;
  const { dev, ino } = fstatSync(fd, { bigint: true });
  return JOURNAL_STREAM === `${dev}:${ino}`;
};
