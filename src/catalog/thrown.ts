const fieldsOf = (thrown: unknown): Partial<Record<'code' | 'message', unknown>> =>
  typeof thrown === 'object' && thrown !== null ? thrown : {};

/** What was thrown, in words. Not by `instanceof Error`: Node's own errors may come from another realm (as under Jest). */
export const messageOf = (thrown: unknown): string => {
  const { message } = fieldsOf(thrown);
  return typeof message === 'string' ? message : String(thrown);
};

/** The code of a system error; `''` where there is none. */
export const codeOf = (thrown: unknown): string => {
  const { code } = fieldsOf(thrown);
  return typeof code === 'string' ? code : '';
};
