/**
 * Stands for an object that is replaced by another one of the same shape: also its parts and methods
 * that somebody took from it before do what those of the present one do. For objects of functions that
 * need no `this`.
 */
export const latestOf = <T extends object>(present: () => T): T =>
  new Proxy(present(), {
    get: (_, name) => {
      const now = (): unknown => Reflect.get(present(), name);
      const value = now();
      if (typeof value === 'function')
        return (...args: unknown[]) => Reflect.apply(now() as () => unknown, undefined, args);
      return typeof value === 'object' && value !== null ? latestOf(() => now() as object) : value;
    },
  });
