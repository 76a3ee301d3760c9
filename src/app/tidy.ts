import { setImmediate } from 'node:timers/promises';
import type { Logger } from 'pino';
import { exhaustMap, type Subscription } from 'rxjs';
import { metadataFiles } from '../catalog/metadata-files.ts';
import type { StoredEntry } from '../catalog/stored-entry.ts';
import type { Settings } from '../config/schema.ts';
import { messageOf } from '../lib/thrown.ts';
import { METADATA } from '../repositories/format.ts';
import type { SaveStore } from '../saves/copies/store.ts';
import type { Swept } from '../saves/copies/unwanted.ts';
import type { ChosenCatalog } from './chosen-catalog.ts';
import { graceOf } from './from-settings.ts';
import { metadataFolder } from './state-folder.ts';
import { ticks } from './ticks.ts';

interface Parts {
  readonly settings: Settings;
  readonly catalog: Pick<ChosenCatalog, 'tidied' | 'own' | 'store'>;
  /** Absent if no copies are saved. */
  readonly store: Pick<SaveStore, 'sweep'> | undefined;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** Milliseconds between two looks. Each reads all entries, which takes seconds of a core for a million. */
const LOOK = 6 * 3_600_000;
/** Offers that are removed in one step. */
const BATCH = 50;

/**
 * Removes what nothing refers to any more, now and then, until it is unsubscribed: entries whose
 * grace is over, copies and kept metadata without an entry, and offers that have expired. Imports and
 * refreshes do the same for what they replace, but none may follow.
 */
export const keepTidy = (parts: Parts, logger: Logger): Subscription =>
  ticks(LOOK)
    .pipe(
      exhaustMap(async () => {
        try {
          const swept = await tidy(parts);
          if (swept.copies > 0) logger.info(swept, 'copies without an entry removed');
        } catch (error) {
          logger.warn({ error: messageOf(error) }, 'what nothing refers to is not removed, trying later');
        }
      }),
    )
    .subscribe();

/** The same, once. Resolves to the copies that were removed. */
export const tidy = async ({ settings, catalog, store, now = Date.now }: Parts): Promise<Swept> => {
  const grace = graceOf(settings);
  const { own } = catalog;
  await own?.history?.prune({ now: now() / 1000, seconds: settings.keepRevisions / 1000 });
  const needed = new Set<string>();
  const entries = noting(catalog.tidied(now() / 1000 - grace), needed);
  const swept = await (store?.sweep(entries, grace * 1000) ?? drained(entries));
  if (own) {
    const { metadata: shared } = own;
    const kept = metadataFiles(metadataFolder(settings), { now, ...(shared && { shared }) });
    await kept.sweep(({ algorithm, value }) => needed.has(`${algorithm}-${value}`));
    while ((await catalog.store.purge(now() / 1000, BATCH)) > 0) await setImmediate();
  }
  return swept;
};

type Steps = AsyncIterable<readonly StoredEntry[]>;

/** Passes all on, and notes the metadata that is needed. */
async function* noting(steps: Steps, needed: Set<string>): Steps {
  for await (const step of steps) {
    for (const { unitTypeId, checksum } of step)
      if (unitTypeId === METADATA && checksum) needed.add(`${checksum.algorithm}-${checksum.value}`);
    yield step;
  }
}

const drained = async (steps: Steps): Promise<Swept> => {
  for await (const _ of steps);
  return { copies: 0, bytes: 0 };
};
