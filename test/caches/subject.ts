import type { Version } from './content.ts';
import { type Fault, openFeed } from './feed.ts';
import { isSeen, type Story } from './plan.ts';
import type { Whose } from './requests.ts';
import type { Scene } from './scene.ts';
import { createTruth, type Row, type Truth } from './truth.ts';

/** A path in the catalog with its feeds: what a story is about. Every change of it is noted in the truth as it is made. */
export interface Subject {
  readonly path: string;
  readonly truth: Truth;
  /** The versions by the names that clients' conditions have for them. */
  named(): Readonly<Partial<Record<Whose, Version>>>;
  /** The catalog names the next version, if there is one: in its newest row's place, or in a row before it. */
  replace(row: 'same' | 'another', lags: boolean): void;
  /** The newest row's feed has the next version, if there is one. */
  change(): void;
  /** From now on this is wrong with the newest row's feed; it has what the catalog says that it has. */
  fail(fault: Fault | undefined): void;
  /** The path of another file of the newest row's feed, which it refuses. */
  elsewhere(): string;
  /** From now on bodies of the feeds pause for this many milliseconds in their middle. */
  rest(milliseconds: number): void;
  close(): void;
}

/** Makes a path, with its feeds, and lists it. */
export const createSubject = async (path: string, story: Story, scene: Scene): Promise<Subject> => {
  const { kind, versions } = story;
  const feeds = { a: await openFeed(kind), b: await openFeed(kind) };
  const truth = createTruth(() => performance.now());
  const has = { a: versions[0]!, b: versions[0]! };
  let rows: readonly Row[] = [];
  let at = -1;
  let refused = false;

  const newest = () => rows[0]?.feed ?? 'a';

  const show = (feed: 'a' | 'b', fault?: Fault) => {
    truth.show(feed, has[feed], fault);
    feeds[feed].show(has[feed], fault);
  };

  const list = (feed: 'a' | 'b', version: Version) => {
    const { checksum, bytes } = version;
    // Without a checksum, and with a date that shows nothing, only another URL says that the content is another.
    const url = feeds[feed].url + (isSeen(kind) ? '' : `?${at}`);
    rows = [{ feed, ...(checksum && { version }) }, ...rows.filter((other) => other.feed !== feed)];
    truth.list(rows);
    scene.list({ path, feed, url, ...(checksum && { checksum }), ...(kind.sized && { size: bytes.length }) });
  };

  /** The next version, which the feed is to have. */
  const next = (feed: 'a' | 'b'): Version | undefined => {
    if (at + 1 >= versions.length) return undefined;
    at += 1;
    has[feed] = versions[at]!;
    return has[feed];
  };

  const subject: Subject = {
    path,
    truth,
    named: () => ({ current: truth.current(), previous: versions[at - 1], next: versions[at + 1] }),
    replace: (row, lags) => {
      const feed = row === 'same' ? newest() : newest() === 'a' ? 'b' : 'a';
      const version = next(feed);
      if (!version) return;
      if (!lags) show(feed);
      list(feed, version);
    },
    change: () => {
      if (next(newest())) show(newest());
    },
    fail: (fault) => show(newest(), fault),
    elsewhere: () => {
      const other = `${path}.refused`;
      if (!refused) scene.list({ path: other, feed: newest(), url: feeds[newest()].refusedUrl });
      refused = true;
      return other;
    },
    rest: (milliseconds) => {
      for (const feed of Object.values(feeds)) feed.rest(milliseconds);
    },
    close: () => {
      for (const feed of Object.values(feeds)) feed.close();
    },
  };
  subject.replace('same', false);
  if (story.older) subject.replace('another', false);
  return subject;
};
