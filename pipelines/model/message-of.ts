/** How deep one error may lie in others. */
const DEPTH = 8;

/**
 * The reason of whatever was thrown, in words. If its message is empty it is looked for in `errors` and `cause`: where every address of a name
 * fails, Node throws an AggregateError that says nothing itself.
 */
export const messageOf = (thrown: unknown): string => describe(thrown, DEPTH);

/** By its shape, not by `instanceof Error`: errors of other realms (workers, contexts, test runners) are none of this one's. */
const describe = (thrown: unknown, depth: number): string => {
  if (typeof thrown !== 'object' || thrown === null || depth === 0) return String(thrown);
  const { message, errors, cause, code } = thrown as Partial<Record<'message' | 'errors' | 'cause' | 'code', unknown>>;
  const own = typeof message === 'string' ? message : '';
  const reasons = Array.isArray(errors) ? errors.map((error: unknown) => describe(error, depth - 1)) : [];
  const told = [own, [...new Set(reasons)].filter((reason) => !own.includes(reason)).join('; ')].filter(Boolean);
  if (told.length > 0) return told.join(': ');
  if (cause !== undefined) return describe(cause, depth - 1);
  return typeof code === 'string' ? code : String(thrown);
};
