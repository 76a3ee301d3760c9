/** One request of the demonstration and what must come of it. */
export interface Scene {
  readonly title: string;
  readonly path: string;
  readonly status: number;
  /** How the source's name begins; absent if there is no source. */
  readonly source?: string;
  /** The file of the repository that the body must equal. */
  readonly file?: string;
}

const packagePath = (name: string) => `Packages/${name}.noarch.rpm`;

const good = (title: string, file: string, source: string): Scene => ({
  title,
  path: `/zoo/${file}`,
  status: 200,
  source,
  file,
});

/** Packages that the alternate source promises and does not have. */
export const MISSING_ON_DISK = ['lynx', 'owl', 'wolf'];

export const SCENES: readonly Scene[] = [
  good('from the alternate source on disk', packagePath('bear-4.1-1'), 'alternate:zoo-on-disk'),
  good('missing on disk, so from the feed, with our client certificate', packagePath('owl-0.6-1'), 'feed:'),
  good('the same once more: from the saved copy', packagePath('owl-0.6-1'), 'saved'),
  good('metadata, so that a package manager can be pointed at the streamer', 'repodata/repomd.xml', 'feed:'),
  {
    title: 'the feed refuses clients without a certificate',
    path: `/zoo-without-certificate/${packagePath('wolf-9.4-1')}`,
    status: 502,
  },
  { title: 'an unknown path', path: '/zoo/Packages/unicorn-1.0-1.noarch.rpm', status: 404 },
];
