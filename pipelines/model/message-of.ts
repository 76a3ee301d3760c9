/** The maximum depth of nested errors. */
const DEPTH = 8;

/**
 * The reason of an exception, as text. If its message is empty, the reason is taken from `errors`
 * and `cause`. If all addresses of a name fail, Node throws an AggregateError with an empty
 * message.
 */
export const messageOf = (thrown: unknown): string => describe(thrown, DEPTH);

/**
 * Checks the shape, not `instanceof Error`: an error of another realm (worker, context, test
 * runner) is not an instance of this realm's Error.
 */
const describe = (thrown: unknown, depth: number): string => {
  if (typeof thrown !== 'object' || thrown === null || depth === 0) return String(thrown);
  const { message, errors, cause, code } = thrown as Partial<Record<'message' | 'errors' | 'cause' | 'code', unknown>>;
  const own = typeof message === 'string' ? message : '';
  const reasons = Array.isArray(errors) ? errors.map((error: unknown) => describe(error, depth - 1)) : [];
  const parts = [own, [...new Set(reasons)].filter((reason) => !own.includes(reason)).join('; ')].filter(Boolean);
  if (parts.length > 0) return parts.join(': ');
  if (cause !== undefined) return describe(cause, depth - 1);
  return typeof code === 'string' ? code : String(thrown);
};
