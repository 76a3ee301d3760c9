import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { filter, firstValueFrom, ReplaySubject, repeat } from 'rxjs';
import { type PendingSaveRequest, refreshOnce } from '../../../pipelines/index.ts';
import type { Alternates } from '../../alternates/open.ts';
import { startDaemon } from '../../app/daemon.ts';
import { loadSettings } from '../../config/load.ts';
import type { FinishedRequest } from '../../lib/finished-request.ts';
import { createLogger } from '../../observe/log.ts';
import { MISSING_ON_DISK, SCENES, type Scene } from './scenes.ts';
import { makeShow } from './show.ts';
import { importZoo, setStage } from './stage.ts';
import { contentOf, makeStage, packagesOf } from './zoo.ts';

/**
 * Plays the scenes against a separate daemon in a temporary folder, all on loopback. Nothing
 * remains afterwards.
 */
export const playDemo = async (onlyOnce: boolean): Promise<void> => {
  const show = makeShow(process.stdout);
  await using opened = new AsyncDisposableStack();
  const { folder } = opened.adopt(await makeStage(), ({ remove }) => remove());
  const stage = await setStage(folder);
  opened.defer(() => stage.feed.close());
  const served = new ReplaySubject<FinishedRequest>();
  const { settings } = loadSettings({
    files: [],
    flags: { port: '0', stateDir: join(folder, 'state'), contentSourcesDir: join(folder, 'sources') },
  });
  const daemon = await startDaemon(settings, createLogger('ERROR', process.stderr));
  opened.defer(daemon.stop);
  daemon.finished.subscribe(served);
  const saved = new ReplaySubject<PendingSaveRequest>();
  daemon.streamer.deliveries.subscribe(({ type, save }) => {
    if (type === 'delivered') saved.next(save);
  });
  const [address] = daemon.addresses;
  const url = `http://localhost:${address?.port}`;
  const entries = await importZoo(daemon.streamer.catalog, stage);
  await refreshAll(daemon.streamer.alternates);

  show.title('pulp-streamer demo: everything below runs on this machine and is removed afterwards');
  show.line(`feed       ${stage.feed.url}  (a client certificate of our private CA is required)`);
  const { length } = await packagesOf();
  show.line(`on disk    ${length - MISSING_ON_DISK.length} of its ${length} packages, as an alternate content source`);
  show.line(`catalog    ${entries} entries, imported from the feed's metadata`);
  show.line(`streamer   ${url}`);

  let wrong = 0;
  for (const [index, scene] of SCENES.entries()) {
    const problems = await play(url, scene);
    const seen = await firstValueFrom(served.pipe(filter(({ target }, at) => target === scene.path && at === index)));
    problems.push(...differences(scene, seen));
    show.scene(index + 1, scene, seen, problems);
    wrong += problems.length;
    if (!seen.report?.recorded) continue;
    await firstValueFrom(saved.pipe(filter(({ requestId }) => requestId === seen.id)));
    show.line('   and saved at the same time');
  }
  show.line();
  show.title(
    wrong === 0 ? `All ${SCENES.length} requests came as expected.` : `${wrong} things did not come as expected.`,
  );
  if (onlyOnce) {
    process.exitCode = wrong === 0 ? 0 : 1;
    return;
  }
  show.line('\nIt runs until you press Ctrl-C. Try:');
  for (const path of ['/zoo/Packages/fox-1.1-1.noarch.rpm', '/zoo/Packages/lynx-2.0-1.noarch.rpm'])
    show.line(`  curl -sO ${url}${path}`);
  show.line(`  curl -sI ${url}/zoo/repodata/repomd.xml`);
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
};

/**
 * The daemon refreshes sources in its own time; the demonstration waits for it. A source that the
 * daemon is refreshing at this moment is busy: it is tried again.
 */
const refreshAll = async (alternates: Alternates): Promise<void> => {
  const { sources } = await firstValueFrom(alternates.descriptors);
  for (const source of sources) {
    const refreshed = refreshOnce(source, alternates).pipe(repeat({ delay: 50 }));
    await firstValueFrom(refreshed.pipe(filter(({ type }) => type === 'done')));
  }
};

/** Asks for the path as any client would; the problems that a client could see. */
const play = async (url: string, scene: Scene): Promise<string[]> => {
  const response = await fetch(url + scene.path);
  const body = Buffer.from(await response.arrayBuffer());
  if (!scene.file) return [];
  const expected = await contentOf(scene.file);
  return sha256(body) === sha256(expected) ? [] : ['the body is not the file'];
};

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

const differences = (scene: Scene, { status, report }: FinishedRequest): string[] => [
  ...(status === scene.status ? [] : [`status ${status}, expected ${scene.status}`]),
  ...((report?.source ?? '').startsWith(scene.source ?? '')
    ? []
    : [`from ${report?.source}, expected ${scene.source}`]),
  ...(scene.file && report?.verified !== 'sha256' ? ['the digest was not verified'] : []),
];
