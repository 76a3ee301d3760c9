/** The code that Node, undici and OpenSSL put on what they throw; `''` where there is none. */
export const codeOf = (thrown: unknown): string => {
  const { code, name, errors } = fieldsOf(thrown);
  if (typeof code === 'string') return code;
  // undici means to put llhttp's code here, and has it undefined.
  if (name === 'HTTPParserError') return name;
  // Where every address of a host fails, Node throws an AggregateError; the first failure speaks for all.
  return Array.isArray(errors) && errors.length > 0 ? codeOf(errors[0]) : '';
};

export const messageOf = (thrown: unknown): string => {
  const { message, errors } = fieldsOf(thrown);
  if (typeof message === 'string' && message !== '') return message;
  return Array.isArray(errors) && errors.length > 0 ? errors.map(messageOf).join('; ') : String(thrown);
};

/** Not by `instanceof Error`: Node's own errors come from another realm wherever code runs in a context (as under Jest). */
const fieldsOf = (thrown: unknown): Partial<Record<'code' | 'name' | 'message' | 'errors', unknown>> =>
  typeof thrown === 'object' && thrown !== null ? thrown : {};
