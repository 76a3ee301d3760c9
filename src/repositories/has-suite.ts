import { StreamError } from '../../pipelines/model/errors.ts';
import { probesOf } from './entry-points.ts';
import type { ReadFile } from './format.ts';
import { urlOf } from './relative-path.ts';

/** Whether a Debian repository has a suite: one of the files that such a suite begins with. */
export const hasSuite = async (
  { base }: { readonly base: string },
  suite: string,
  read: ReadFile,
): Promise<boolean> => {
  for (const path of probesOf(suite)) if (await hasFile(urlOf(base, path), read)) return true;
  return false;
};

/** Whether a feed has a file that is not empty. Rejects if the feed does not answer that. */
export const hasFile = async (url: string, read: ReadFile): Promise<boolean> => {
  try {
    for await (const _ of read(url)) return true;
  } catch (error) {
    if (!(error instanceof StreamError && (error.code === 'SOURCE_MISSING' || error.code === 'SOURCE_REFUSED')))
      throw error;
  }
  return false;
};
