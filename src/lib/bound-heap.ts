import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/** The most bytes of the space for young objects: two halves of 8 MiB. Usually it rests at half of that. */
const MOST_YOUNG = 16 * 1024 * 1024;
/** By how many percent older objects may grow, garbage and all, until V8 collects them again. */
const GROWTH = 30;

/**
 * Keeps V8's heap small, as far as neither the command line nor NODE_OPTIONS say how large it may be. What waits for
 * slow clients, and for the disk, grows old and is garbage soon after. V8 alone leaves much of it for long.
 */
export const boundHeap = (): void => {
  const given = [...process.execArgv, ...(process.env.NODE_OPTIONS ?? '').split(/\s+/)];
  if (!given.some((option) => /^--m(ax|in)[-_]semi[-_]space[-_]size/.test(option))) boundYoungObjects();
  // V8 lets them grow fourfold.
  if (!given.some((option) => /^--heap[-_]growing[-_]percent/.test(option)))
    setFlagsFromString(`--heap-growing-percent=${GROWTH}`);
};

/**
 * V8 doubles the space for young objects whenever many survive, and hardly ever gives it back. V8's own limit cannot
 * be set later, so after each collection the next doubling is allowed, or not. With a smaller space, small requests
 * would cost more processor time.
 */
const boundYoungObjects = (): void => {
  let grows = true;
  const observer = new PerformanceObserver(() => {
    const young = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space');
    // Two collections may come before the next of these calls.
    const mayGrow = young === undefined || 4 * young.space_size <= MOST_YOUNG;
    if (mayGrow === grows) return;
    grows = mayGrow;
    setFlagsFromString(`--semi-space-growth-factor=${mayGrow ? 2 : 1}`);
  });
  observer.observe({ entryTypes: ['gc'] });
};
