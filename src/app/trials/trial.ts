/** The result of trying something that the daemon will need. */
export interface Trial {
  /** Kind and address of the tried thing. */
  readonly what: string;
  /** A remark on what was found. */
  readonly found?: string;
  /** Why it cannot be used; absent if it can. */
  readonly problem?: string;
  /** The error behind the problem. */
  readonly error?: unknown;
}

/** The reason of an error of the system, by its code; by default its message. */
export const reasonFrom =
  (reasons: Readonly<Record<string, string>>) =>
  (error: unknown): string => {
    const { code = '', message } = error as NodeJS.ErrnoException;
    return reasons[code] ?? message;
  };

/** Makes a trial of an attempt, which returns its remark. Never rejects. */
export const trying = async (
  what: string,
  attempt: () => Promise<string | undefined> | string | undefined,
  messageOf: (error: unknown) => string,
): Promise<Trial> => {
  try {
    const found = await attempt();
    return { what, ...(found !== undefined && { found }) };
  } catch (error) {
    return { what, problem: messageOf(error), error };
  }
};
