import type { Logger } from 'pino';

/** What does not work at present, while the daemon serves all the same. */
export interface Conditions {
  /** Logged once for each new problem of a subject. */
  set(subject: string, problem: string): void;
  /** The subject works again. */
  clear(subject: string): void;
  /** One line for each subject that has a problem. */
  list(): readonly string[];
}

export const createConditions = (logger: Logger): Conditions => {
  const problems = new Map<string, string>();
  return {
    set: (subject, problem) => {
      if (problems.get(subject) === problem) return;
      problems.set(subject, problem);
      logger.error({ subject, problem }, 'degraded, serving continues');
    },
    clear: (subject) => {
      if (problems.delete(subject)) logger.info({ subject }, 'works again');
    },
    list: () => [...problems].map(([subject, problem]) => `${subject}: ${problem}`),
  };
};
