import type { IncomingHttpHeaders } from 'node:http';
import { type Conditions, timeOfHttpDate, trimBlanks } from '../../pipelines/model/index.ts';

/**
 * The conditions in a request's header fields (RFC 9110 section 13.1). A malformed field counts as
 * absent.
 */
export const conditionsOf = (headers: IncomingHttpHeaders): Conditions | undefined => {
  // Most requests have none.
  if (!FIELDS.some((name) => headers[name] !== undefined)) return undefined;
  const ifRange = headers['if-range']?.toString();
  const conditions: Conditions = {
    ...optional('ifMatch', tagsOf(headers['if-match'])),
    ...optional('ifNoneMatch', tagsOf(headers['if-none-match'])),
    ...optional('ifModifiedSince', timeOfHttpDate(headers['if-modified-since'])),
    ...optional('ifUnmodifiedSince', timeOfHttpDate(headers['if-unmodified-since'])),
    ...optional('ifRange', ifRange === undefined ? undefined : trimBlanks(ifRange)),
  };
  return Object.keys(conditions).length > 0 ? conditions : undefined;
};

const FIELDS = ['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since', 'if-range'] as const;

const optional = <K extends string, V>(name: K, value: V | undefined): { readonly [Name in K]?: V } =>
  (value === undefined ? {} : { [name]: value }) as { readonly [Name in K]?: V };

/**
 * A list of entity tags may be `*`. Commas may be part of a tag (RFC 9110 section 8.8.3). A list
 * without tags matches nothing.
 */
const tagsOf = (text: string | undefined): readonly string[] | undefined =>
  text === undefined
    ? undefined
    : trimBlanks(text) === '*'
      ? ['*']
      : (text.match(/(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"/g) ?? []);
