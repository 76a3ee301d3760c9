export { messageOf } from '../../pipelines/model/message-of.ts';

/** The code that Node, undici and OpenSSL put on what they throw; `''` if it has none. Of several errors in one the first speaks for all. */
export const codeOf = (thrown: unknown): string => {
  const { code, errors }: { readonly code?: unknown; readonly errors?: unknown } =
    typeof thrown === 'object' && thrown !== null ? thrown : {};
  if (typeof code === 'string') return code;
  return Array.isArray(errors) && errors.length > 0 ? codeOf(errors[0]) : '';
};
