/** What came of trying something that the daemon will need. */
export interface Trial {
  /** What was tried, and where. */
  readonly what: string;
  /** What was found, if that is worth a word. */
  readonly found?: string;
  /** Why it cannot be used; absent if it can. */
  readonly problem?: string;
}

/** Tries something; `attempt` returns what it found. Never rejects. */
export const trying = async (
  what: string,
  attempt: () => Promise<string | undefined> | string | undefined,
  messageOf: (error: unknown) => string,
): Promise<Trial> => {
  try {
    const found = await attempt();
    return { what, ...(found !== undefined && { found }) };
  } catch (error) {
    return { what, problem: messageOf(error) };
  }
};
