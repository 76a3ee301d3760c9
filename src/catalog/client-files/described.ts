import type { Child } from '../../../pipelines/model/index.ts';
import type { StoredRepository } from '../stored-repository.ts';

/** A repository as its clients reach it. */
export interface Described extends Pick<StoredRepository, 'prefix' | 'selection' | 'keyring'> {
  /** Its URL for clients, with a slash at the end. */
  readonly url: string;
  /** The name of the dated view that it is seen through. */
  readonly view?: string;
}

/** What is directly below a folder of the catalog, whose path ends with a slash. */
export type Children = (folder: string) => Promise<readonly Child[]>;

/** The prefix without what some tools do not take in a name: `/el9/os` is `el9-os`. */
export const nameOf = ({ prefix, view }: Pick<Described, 'prefix' | 'view'>): string =>
  `${prefix}${view === undefined ? '' : `-${view}`}`
    .replaceAll(/[^A-Za-z0-9._-]+/g, '-')
    .replaceAll(/^[-.]+|-+$/g, '') || 'pulp-streamer';

/** A text has one line: a line break would begin another field. */
export const isPlain = (text: string): boolean => /^[!-~]+$/.test(text);
