import { ownerOf } from '../../src/app/workers/owner.ts';

/** A path below a name that belongs to one worker of two; `worker` is 0 or 1. */
export const ownedPath = (worker: number, name: string): string => {
  for (let at = 0; ; at += 1) {
    const path = `/${name}/${at}.bin`;
    if (ownerOf(path, 2) === worker) return path;
  }
};
