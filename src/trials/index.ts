import type { Settings } from '../config/schema.ts';
import { tryBroker } from './broker.ts';
import { tryCatalog } from './catalog.ts';
import { tryFeeds } from './feeds.ts';
import { tryFolders } from './folders.ts';
import { tryPorts } from './ports.ts';
import type { Trial } from './trial.ts';

export type { Trial } from './trial.ts';

/**
 * Tries, one after the other, what the daemon will need: ports, folders, the catalog or Pulp's database, the broker, feeds and alternate
 * sources. What fails is told by its trial; rejects only for interfaces that are not there.
 */
export async function* tryAll(settings: Settings): AsyncGenerator<Trial> {
  yield* await tryPorts(settings);
  yield* await tryFolders(settings);
  const { trial, places } = await tryCatalog(settings);
  yield trial;
  yield* await tryBroker(settings);
  yield* await tryFeeds(settings, places);
}
