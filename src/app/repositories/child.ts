import { accessOf } from '../../catalog/access.ts';
import type { Progress } from '../../catalog/import.ts';
import type { RefreshResult } from '../../catalog/refresh-repository.ts';
import { refreshStored } from '../../catalog/refresh-stored.ts';
import type { StoredRepository } from '../../catalog/stored-repository.ts';
import { rootAt } from '../../lib/plain-path.ts';
import { messageOf } from '../../lib/thrown.ts';
import type { ReadFile, Selection } from '../../repositories/format.ts';
import { hasSuite } from '../../repositories/has-suite.ts';
import { openRepositories } from '../metadata.ts';
import { openOwnCatalog } from '../own-catalog.ts';
import type { Job, Message } from './messages.ts';

/** Milliseconds between two reports of progress. */
const PERIOD = 500;

const send = (message: Message): Promise<void> =>
  new Promise((resolve) => {
    // Without a parent, the result has no reader.
    process.send?.(message, undefined, undefined, () => resolve());
  });

const refresh = async ({ settings, repository, suite }: Job): Promise<RefreshResult> => {
  const catalog = await openOwnCatalog(settings);
  const feeds = openRepositories(settings);
  let shown = Number.NEGATIVE_INFINITY;
  const show = (progress: Progress) => {
    if (performance.now() - shown < PERIOD) return;
    shown = performance.now();
    void send({ type: 'progress', progress });
  };
  try {
    const stored = await catalog.repositories.find(repository);
    if (!stored) throw new Error(`no repository was imported below ${repository.prefix}`);
    const importer = await catalog.importers.get(stored.importerId);
    if (!importer) throw new Error(`importer ${stored.importerId} is not in the catalog`);
    const { kept, grace, keepRevisions, limits } = feeds;
    let fetched = 0;
    const files = feeds.files(accessOf(importer.config), rootAt(stored.base));
    const read: ReadFile = async function* (url, ...how) {
      for await (const chunk of files(url, ...how)) {
        if (!url.startsWith('file:')) fetched += chunk.byteLength;
        yield chunk;
      }
    };
    const result = await refreshStored(catalog, stored, {
      ...{ read, onProgress: show, kept, grace, keepRevisions, limits },
      selection: await selectionOf(stored, suite, read),
    });
    return { ...result, fetched };
  } finally {
    await feeds.close();
    await catalog.close();
  }
};

/**
 * What is read of it: a suite more, and none below `dists/` that its feed no longer has, which would
 * keep the others from being read. A feed that has none of them any more has another fault.
 */
const selectionOf = async (
  { base, format, follows, selection }: StoredRepository,
  suite: string | undefined,
  read: ReadFile,
): Promise<Selection> => {
  if (format !== 'deb' || !follows) return selection;
  const { suites = ['./'] } = selection;
  const wanted = suite === undefined || suites.includes(suite) ? suites : [...suites, suite];
  const present: string[] = [];
  for (const one of wanted) if (one.endsWith('/') || (await hasSuite({ base }, one, read))) present.push(one);
  return { ...selection, suites: present.length > 0 ? present : wanted };
};

/** Refreshes a repository, and ends the process. It also ends if its parent does. */
export const run = async (job: Job): Promise<void> => {
  process.once('disconnect', () => process.exit(1));
  const message = await refresh(job).then(
    (result): Message => ({ type: 'done', result }),
    (error: unknown): Message => ({ type: 'failed', message: messageOf(error) }),
  );
  await send(message);
  process.exit();
};
