export { messageOf } from '../../pipelines/model/message-of.ts';

/**
 * The `code` of errors of Node, undici and OpenSSL; `''` if there is none. For an AggregateError,
 * that of its first error.
 */
export const codeOf = (thrown: unknown): string => {
  const { code, errors }: { readonly code?: unknown; readonly errors?: unknown } =
    typeof thrown === 'object' && thrown !== null ? thrown : {};
  if (typeof code === 'string') return code;
  return Array.isArray(errors) && errors.length > 0 ? codeOf(errors[0]) : '';
};
