import type { Repository } from './format.ts';

/** An entry of metadata that cannot be served. The other entries can. */
export class OddEntry extends Error {
  override readonly name = 'OddEntry';
}

/** What `make` returns. If the entry is odd, it is reported, and there is nothing. */
export const unlessOdd = <T>({ leftOut }: Pick<Repository, 'leftOut'>, make: () => T): T | undefined => {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof OddEntry)) throw error;
    leftOut(error.message, 1);
    return undefined;
  }
};
