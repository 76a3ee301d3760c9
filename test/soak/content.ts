import { createHash } from 'node:crypto';

/**
 * The content `name` of a run: SHAKE-256 of `SEED/NAME`, as many bytes as it is long. The clients
 * compute the same by truth.py.
 */
export const contentOf = (seed: number, name: string, size: number): Buffer =>
  createHash('shake256', { outputLength: size }).update(`${seed}/${name}`).digest();

/** Contents of a run, the last few kept: a feed looks at its content several times a response. */
export const contents = (seed: number, kept = 8): ((name: string, size: number) => Buffer) => {
  const last = new Map<string, Buffer>();
  return (name, size) => {
    const found = last.get(name) ?? contentOf(seed, name, size);
    last.delete(name);
    last.set(name, found);
    for (const oldest of last.keys()) if (last.size > kept) last.delete(oldest);
    return found;
  };
};
