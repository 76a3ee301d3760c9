/** What was thrown, in words. By its shape: errors of other realms (worker contexts, test runners) are not `instanceof Error`. */
export const messageOf = (thrown: unknown): string =>
  typeof thrown === 'object' && thrown !== null && 'message' in thrown ? String(thrown.message) : String(thrown);
