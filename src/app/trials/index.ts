import type { Settings } from '../../config/schema.ts';
import { tryBroker } from './broker.ts';
import { tryCatalog } from './catalog.ts';
import { tryFeeds } from './feeds.ts';
import { tryFolders } from './folders.ts';
import { tryObjects } from './objects.ts';
import { tryPorts } from './ports.ts';
import type { Trial } from './trial.ts';

export type { Trial } from './trial.ts';

/**
 * Tries what the daemon will need, one kind after the other: ports, folders, the catalog or Pulp's
 * database, the broker, feeds and alternate sources. A failure is a trial with a problem; throws
 * only for interfaces that do not exist.
 */
export async function* tryAll(settings: Settings): AsyncGenerator<Trial> {
  yield* await tryPorts(settings);
  yield* await tryFolders(settings);
  const { trial, places } = await tryCatalog(settings);
  yield trial;
  yield* await tryBroker(settings);
  yield* await tryObjects(settings);
  yield* await tryFeeds(settings, places);
}
