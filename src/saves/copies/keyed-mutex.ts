import { ShortLivedMap } from '../../../pipelines/operators/short-lived-map.ts';

export interface KeyedMutex {
  /** Runs work after all earlier work under the same key. Errors are reported. Never rejects. */
  run(key: string, work: () => Promise<void>): Promise<void>;
  /** Resolves when no work runs or waits under the key; without a key, under any. */
  over(key?: string): Promise<void>;
}

export const makeKeyedMutex = (onError: (error: unknown) => void): KeyedMutex => {
  const last = new ShortLivedMap<string, Promise<void>>();

  return {
    run: (key, work) => {
      const turn = (last.get(key) ?? Promise.resolve())
        .then(work)
        .catch(onError)
        .finally(() => {
          if (last.get(key) === turn) last.delete(key);
        });
      last.set(key, turn);
      return turn;
    },
    over: async (key) => {
      for (;;) {
        const running = key === undefined ? [...last.values()] : [last.get(key) ?? []].flat();
        if (running.length === 0) return;
        await Promise.all(running);
      }
    },
  };
};
