import type { ServerResponse } from 'node:http';
import type { Loan } from '../../pipelines/model/index.ts';

/**
 * Writes bytes of a body at once, and retains their loan until the kernel has them. Returns whether a part of the
 * response waits for the kernel. `emptied` is called whenever nothing does any more.
 */
export const writeLent = (
  res: ServerResponse,
  bytes: Uint8Array,
  loan: Loan | undefined,
  emptied: () => void,
): boolean => {
  loan?.retain();
  // Otherwise Node would collect what is written in a turn.
  const { socket } = res;
  socket?.cork();
  res.write(bytes, () => {
    loan?.release();
    if (res.writableLength === 0) emptied();
  });
  socket?.uncork();
  return res.writableLength > 0;
};
