import type { Session } from './session.ts';
import type { Watch } from './watch.ts';

/** Milliseconds after which a daemon removes what no longer counts, if nobody has changed the catalog since. */
const LATER = 90_000;

/**
 * Removes what no longer counts, now and then: every change does, but none may follow for months. Of
 * several daemons the first one does it. Returns a function that ends it.
 */
export const tidying = ({ change }: Session, watch: Watch, every: number): (() => void) => {
  const look = async (): Promise<void> => {
    const { head } = await watch.recent();
    if (!head.retired.some(({ at }) => at < Date.now() - LATER)) return;
    await change(async () => ({ result: undefined }));
  };
  // If the database is down, or another process changes the catalog, the next look follows.
  const timer = setInterval(() => void look().catch(() => {}), every).unref();
  return () => clearInterval(timer);
};
