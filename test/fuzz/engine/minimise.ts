/** Inputs that are tried for one that is made smaller. */
const MOST_TRIES = 400;

/**
 * The smallest input found that still has a property: parts are left out, the larger first.
 */
export const minimise = async (
  input: Buffer,
  keeps: (smaller: Buffer) => Promise<boolean>,
  mostTries = MOST_TRIES,
): Promise<Buffer> => {
  let best = input;
  let tries = 0;
  const attempt = async (smaller: Buffer): Promise<boolean> => {
    if (tries >= mostTries) return false;
    tries += 1;
    if (!(await keeps(smaller))) return false;
    best = smaller;
    return true;
  };

  for (let size = best.length >> 1; size >= 1; size >>= 1) {
    for (let at = 0; at < best.length; ) {
      const without = Buffer.concat([best.subarray(0, at), best.subarray(at + size)]);
      if (!(await attempt(without))) at += size;
    }
  }
  return best;
};
