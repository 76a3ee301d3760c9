import { randomUUID } from 'node:crypto';
import { extname } from 'node:path';
import type { CatalogEntry } from '../../../pipelines/model/index.ts';

/**
 * The names of a copy's two objects: its content, `ab/cdef….rpm`, and what describes it,
 * `ab/cdef….json`. A copy is there if its description is, which is stored last and names the content.
 * If the catalog has no checksum, the content's name has an id of its transfer, `ab/cdef…-ID.rpm`: two
 * writers with different content never meet.
 */
export const descriptionName = (key: string): string => `${baseOf(key)}.json`;

export const contentName = ({ path, checksum }: CatalogEntry, key: string): string =>
  baseOf(key) + (checksum ? '' : `-${randomUUID().replaceAll('-', '')}`) + extensionOf(path);

const baseOf = (key: string): string => `${key.slice(0, 2)}/${key.slice(2)}`;

/** Kept for people who look at the bucket. Paths come from outside: only harmless characters. */
const extensionOf = (path: string): string => extname(path).match(/^\.(?!json$)[A-Za-z0-9_-]{1,16}$/)?.[0] ?? '';

/** What a name of the store stands for; `undefined` for objects that are not the streamer's. */
export const parseName = (
  name: string,
): { readonly key: string; readonly isDescription: boolean; readonly isBare: boolean } | undefined => {
  const [, two, rest, id, extension] = NAME.exec(name) ?? [];
  if (two === undefined || rest === undefined) return undefined;
  return { key: two + rest, isDescription: extension === '.json', isBare: id !== undefined };
};

const NAME = /^([0-9a-f]{2})\/([0-9a-f]{62})(?:-([0-9a-f]{32}))?(\.[A-Za-z0-9_-]{1,16})?$/;
