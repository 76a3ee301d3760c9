import { stripVTControlCharacters } from 'node:util';
import type { Finding } from './target.ts';

/** A finding of what the check of an input threw. */
export const findingOf = (thrown: unknown, input: Buffer): Finding => {
  const error = thrown instanceof Error ? thrown : new Error(`threw ${String(thrown)}, which is not an error`);
  const [message = ''] = stripVTControlCharacters(error.message).split('\n');
  return {
    kind: 'error',
    what: `${error.name}: ${general(message)}${placeOf(error)}`,
    detail: stripVTControlCharacters(error.stack ?? message),
    input,
  };
};

/** Without what differs between inputs. */
const general = (message: string): string =>
  message
    .replace(/(["'`“]).*["'`”]/g, '$1…$1')
    .replace(/\d+/g, 'N')
    .slice(0, 200);

/** The innermost of the project's own lines. */
const placeOf = ({ stack = '' }: Error): string => {
  const place = /\((?:file:\/\/)?\S*?\/((?:src|pipelines|test)\/\S+?):\d+\)/.exec(stack)?.[1];
  return place === undefined ? '' : ` (${place})`;
};
