/** Why a database of another layout is not used, and what to do if a later version wrote it. */
export const otherLayout = (found: number, supported: number): Error =>
  new Error(
    `it has layout ${found}, this pulp-streamer supports layout ${supported}${
      found > supported
        ? ': a later version wrote it; install that version again, or restore a backup from before the upgrade'
        : ''
    }`,
  );
