import { type Profiler, Session } from 'node:inspector';

/** A function that was called, and how often its blocks were executed. */
export interface Called {
  readonly key: string;
  /** V8 states the function first, and blocks after those that contain them. */
  readonly ranges: readonly Profiler.CoverageRange[];
}

export interface Coverage {
  /** What was executed since the last call. */
  take(): readonly Called[];
  stop(): void;
}

const ROOT = new URL('../../../', import.meta.url).href;

/** Where the code is that counts: the product, and what imitates it. */
const MODULES: readonly string[] = ['src/', 'pipelines/', 'test/fuzz/planted/'].map((folder) => ROOT + folder);

/**
 * Counts executed blocks of this thread by V8’s profiler. To be started before the modules are
 * loaded. A call of `take` costs milliseconds: it goes through all functions.
 */
export const startCoverage = (): Coverage => {
  const session = new Session();
  session.connect();
  session.post('Profiler.enable');
  session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });

  return {
    take: () => {
      let scripts: readonly Profiler.ScriptCoverage[] = [];
      // Within one thread the answer comes before the call returns.
      session.post('Profiler.takePreciseCoverage', (error, answer) => {
        if (error) throw error;
        scripts = answer.result;
      });
      return scripts
        .filter(({ url }) => MODULES.some((prefix) => url.startsWith(prefix)))
        .flatMap(({ url, functions }) =>
          functions
            .filter(({ ranges: [whole] }) => whole !== undefined && whole.count > 0)
            .map(({ ranges }) => ({ key: `${url}:${ranges[0]?.startOffset}`, ranges })),
        );
    },
    stop: () => session.disconnect(),
  };
};

/** How often any block was executed. Unlike time it is the same in every run. */
export const blocksIn = (called: readonly Called[]): number =>
  called.reduce((sum, { ranges }) => sum + ranges.reduce((all, { count }) => all + count, 0), 0);
