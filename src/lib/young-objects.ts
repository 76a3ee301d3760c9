import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/** The most bytes of the space for young objects: two halves of 8 MiB. Usually it rests at half of that. */
const MOST = 16 * 1024 * 1024;

/**
 * Keeps V8's space for young objects small, unless the command line or NODE_OPTIONS say how large it
 * may be. V8 doubles it whenever many objects survive, as those of slow clients do, and hardly ever
 * gives it back. V8's own limit cannot be set later, so after each collection the next doubling is
 * allowed, or not. With a smaller space, small requests would cost more processor time.
 */
export const boundYoungObjects = (): void => {
  const given = [...process.execArgv, ...(process.env.NODE_OPTIONS ?? '').split(/\s+/)];
  if (given.some((option) => /^--m(ax|in)[-_]semi[-_]space[-_]size/.test(option))) return;
  let grows = true;
  const observer = new PerformanceObserver(() => {
    const young = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space');
    // Two collections may come before the next of these calls.
    const mayGrow = young === undefined || 4 * young.space_size <= MOST;
    if (mayGrow === grows) return;
    grows = mayGrow;
    setFlagsFromString(`--semi-space-growth-factor=${mayGrow ? 2 : 1}`);
  });
  observer.observe({ entryTypes: ['gc'] });
};
