import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { concat, firstValueFrom, NEVER, of } from 'rxjs';
import {
  type Access,
  type Location,
  type OpenSource,
  type SourceEvent,
  StreamError,
} from '../../../pipelines/model/index.ts';
import { OPEN } from '../../../pipelines/operators/valve.ts';
import { openDisk } from '../../../src/sources/disk/open.ts';
import { createFeed, type Feed } from '../../../src/sources/feed/open.ts';
import { withLimits } from '../../../src/sources/source-limits.ts';
import { anAsk, at, collect, failureOf, someBytes } from '../../support/collect.ts';
import { feedSettings } from '../../support/feed-settings.ts';
import { startFeed, type TestFeed } from '../../support/feeds.ts';
import { aSource, chunk, marbles, sourceHead } from '../../support/pipeline.ts';
import { temporaryFolders } from '../../support/temporary.ts';
import { until } from '../../support/until.ts';

const newFolder = temporaryFolders();
const ownedBy = (id: string): Access => ({ owner: { kind: 'alternate', id } });
const from = (name: string, access: Access, importerId = '0'.repeat(24)): Location => {
  const { kind, id } = aSource(name);
  return {
    url: kind === 'feed' ? `http://${id}/x` : 'http://acs/x',
    access: { ...access, ...(kind === 'alternate' ? ownedBy(id) : { owner: { kind: 'importer', id: importerId } }) },
  };
};

describe('slots of a source', () => {
  const head = sourceHead();
  const opening = (events: OpenSource, location: Location) => events(location, anAsk())(NEVER);

  it('apply across requests, to each source separately', () =>
    marbles(({ cold, expectObservable }) => {
      const VALUES = { h: head, c: chunk('c') };
      const open = withLimits(() => () => cold<SourceEvent>('h-c|', VALUES), { timeoutMs: 100 });
      const one = from('alternate:one', { maxConcurrent: 1 });
      expectObservable(opening(open, one)).toBe('                                              h-c|', VALUES);
      expectObservable(opening(open, { ...one })).toBe('                                       ---h-c|', VALUES);
      expectObservable(opening(open, from('alternate:two', { maxConcurrent: 1 }))).toBe('     h-c|', VALUES);
      expectObservable(opening(open, from('alternate:three', {}))).toBe('                     h-c|', VALUES);
    }));

  it('of a feed are its importer’s, not its host’s', () =>
    marbles(({ cold, expectObservable }) => {
      const open = withLimits(() => () => cold<SourceEvent>('--|'), { timeoutMs: 100 });
      expectObservable(opening(open, from('feed:host', { maxConcurrent: 1 }, 'a'))).toBe('--|');
      expectObservable(opening(open, from('feed:host', { maxConcurrent: 1 }, 'b'))).toBe('--|');
      expectObservable(opening(open, from('feed:host', { maxConcurrent: 1 }, 'a'))).toBe('----|');
    }));

  it('are waited for until the timeout; then another source is the better choice', () =>
    marbles(({ cold, expectObservable }) => {
      const open = withLimits(() => () => cold<SourceEvent>('h---------|', { h: head }), { timeoutMs: 5 });
      const one = from('alternate:one', { maxConcurrent: 1 });
      const text = 'alternate:one is at its limit of 1 concurrent transfers; http://acs/x waited 5 ms';
      expectObservable(opening(open, one)).toBe('h---------|', { h: head });
      expectObservable(opening(open, one)).toBe('-----#', {}, new StreamError('SOURCE_FULL', 'self', text));
    }));

  it('apply with a changed limit to later requests', () =>
    marbles(({ cold, expectObservable }) => {
      const open = withLimits(() => () => cold<SourceEvent>('--|'), { timeoutMs: 100 });
      expectObservable(opening(open, from('alternate:one', { maxConcurrent: 1 }))).toBe('--|');
      expectObservable(opening(open, from('alternate:one', { maxConcurrent: 2 }))).toBe('--|');
    }));
});

describe('limits of a real feed', () => {
  let server: TestFeed;
  let feed: Feed;
  const held: (() => void)[] = [];

  beforeAll(async () => {
    server = await startFeed((_, response) => {
      response.writeHead(200, { 'Content-Length': 3 });
      held.push(() => response.end('abc'));
    });
    feed = createFeed(feedSettings());
  });
  afterAll(async () => {
    await feed.close();
    await server.close();
  });

  it('never let more requests reach it than its limit, and all succeed', async () => {
    const open = withLimits(feed.open, { timeoutMs: 10_000 });
    const location = at(`${server.url}/x`, { access: { ...ownedBy('one'), maxConcurrent: 2 } });
    const all = Array.from({ length: 6 }, () => collect(open(location, anAsk())));
    for (let answered = 0; answered < 6; answered += 1) {
      await until(() => held.length > 0);
      expect(server.requests.length - answered).toBeLessThanOrEqual(2);
      held.shift()?.();
    }
    const bodies = (await Promise.all(all)).map(({ body }) => body.toString());
    expect(bodies).toEqual(Array(6).fill('abc'));
  });

  it('are released when a waiting or a running request is left', async () => {
    const open = withLimits(feed.open, { timeoutMs: 10_000 });
    const location = at(`${server.url}/x`, { access: { ...ownedBy('two'), maxConcurrent: 1 } });
    const before = server.requests.length;
    const running = open(location, anAsk())(OPEN).subscribe();
    const waiting = open(location, anAsk())(OPEN).subscribe();
    const last = collect(open(location, anAsk()));
    await until(() => server.requests.length === before + 1);
    waiting.unsubscribe();
    running.unsubscribe();
    await until(() => server.requests.length === before + 2);
    held.splice(0).at(-1)?.();
    expect((await last).body.toString()).toBe('abc');
  });
});

describe('the speed of a source', () => {
  it('is shared by all its transfers, whose bytes all arrive', async () => {
    const file = join(newFolder(), 'file');
    const content = someBytes(300_000);
    writeFileSync(file, content);
    const open = withLimits(openDisk, { timeoutMs: 10_000 });
    const location = at(file, { access: { ...ownedBy('one'), maxSpeed: 1_000_000 } });
    const began = performance.now();
    const all = await Promise.all([1, 2, 3].map(() => collect(open(location, anAsk()))));
    const took = performance.now() - began;
    for (const { body, head } of all) {
      expect(body.equals(content)).toBe(true);
      expect(head?.length).toBe(content.length);
    }
    // 900,000 bytes at 1,000,000 a second, of which the first 200,000 may pass at once.
    expect(took).toBeGreaterThan(600);
  });

  it('stops with its consumer’s valve', async () => {
    const file = join(newFolder(), 'file');
    writeFileSync(file, someBytes(100_000));
    const open = withLimits(openDisk, { timeoutMs: 10_000 });
    const location = at(file, { access: { ...ownedBy('one'), maxSpeed: 1_000_000_000 } });
    const first = await firstValueFrom(open(location, anAsk())(concat(of(false), NEVER)));
    expect(first.type).toBe('head');
  });

  it('fails as the source does', async () => {
    const open = withLimits(openDisk, { timeoutMs: 10_000 });
    const location = at('/no/such/file', { access: { ...ownedBy('one'), maxSpeed: 10, maxConcurrent: 1 } });
    expect((await failureOf(open(location, anAsk()))).code).toBe('SOURCE_MISSING');
    expect((await failureOf(open(location, anAsk()))).code).toBe('SOURCE_MISSING');
  });
});
