import type { Version } from './content.ts';
import { type Fault, openFeed } from './feed.ts';
import { isSeen, type Story } from './plan.ts';
import type { Whose } from './requests.ts';
import type { Scene } from './scene.ts';
import { createTruth, type Row, type Truth } from './truth.ts';

/**
 * The subject of a story: a path in the catalog, with its feeds. Each change is recorded in
 * `truth`.
 */
export interface Subject {
  readonly path: string;
  readonly truth: Truth;
  /** The versions by the names that conditions use. */
  named(): Readonly<Partial<Record<Whose, Version>>>;
  /** The catalog lists the next version, if one is left: in the newest row, or in a newer one. */
  replace(row: 'same' | 'another', lags: boolean): void;
  /** The feed of the newest row has the next version, if one is left. */
  change(): void;
  /**
   * From now on the feed of the newest row has this fault, and the version that the catalog lists.
   */
  fail(fault: Fault | undefined): void;
  /** The path of another file, which the feed of the newest row refuses. */
  elsewhere(): string;
  /** From now on bodies of the feeds pause for this many milliseconds at their middle. */
  rest(milliseconds: number): void;
  close(): void;
}

/** Makes a path with its feeds, and lists it in the catalog. */
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
    // Without a checksum, and with a date that shows no change, only another URL shows it.
    const url = feeds[feed].url + (isSeen(kind) ? '' : `?${at}`);
    rows = [{ feed, ...(checksum && { version }) }, ...rows.filter((other) => other.feed !== feed)];
    truth.list(rows);
    scene.list({ path, feed, url, ...(checksum && { checksum }), ...(kind.sized && { size: bytes.length }) });
  };

  /** The next version, which the feed will have. */
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
