import type { Cataloger } from './cataloger.ts';
import { rhui } from './rhui.ts';

/** A cataloger whose parsers are loaded for the first refresh: most daemons have no such source. */
const lazily = (type: string, load: () => Promise<Cataloger>): Cataloger => ({
  type,
  read: async function* (repository, selection) {
    yield* (await load()).read(repository, selection);
  },
});

const yum = lazily('yum', async () => (await import('./yum.ts')).yum);

/** Every cataloger of the streamer; add new ones here. */
export const CATALOGERS: readonly Cataloger[] = [
  yum,
  rhui(yum),
  lazily('files', async () => (await import('./files.ts')).files),
  lazily('deb', async () => (await import('./deb.ts')).deb),
];
