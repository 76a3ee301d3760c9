import { flow, lift, type OpenSource } from '../../pipelines/index.ts';
import { type Alternates, openAlternates } from '../alternates/open.ts';
import { parseDescriptor } from '../config/ini.ts';
import type { Settings } from '../config/schema.ts';
import { owned } from '../lib/owned.ts';
import { type ByteCounter, countBytes } from '../observe/count-bytes.ts';
import type { OpenFiles } from '../repositories/format.ts';
import {
  type ExpiringCertificate,
  type WatchedCertificates,
  watchCertificates,
} from '../sources/expiring-certificates.ts';
import { createSources, type Sources } from '../sources/open.ts';
import { type Places, withLimits } from '../sources/source-limits.ts';
import type { ChosenCatalog } from './chosen-catalog.ts';
import { placeTimeoutOf, readerLimitsOf, sourceSettingsOf } from './from-settings.ts';
import { openMetadata } from './metadata.ts';
import { renewable } from './renewable.ts';

export interface OpenSources
  extends Pick<Sources, 'open' | 'connections' | 'close'>,
    Pick<WatchedCertificates, 'certificates'> {
  /** Reads files of repositories, with the long time-outs of a read that no client waits for. */
  readonly files: OpenFiles;
  readonly alternates: Alternates;
  /** Applies changed settings to what is opened from now on, and reloads the descriptors. */
  reload(): void;
}

interface Watching {
  /** Wants to know the bytes of the sources that are opened. */
  readonly counter?: ByteCounter;
  /** Called for each certificate in use that has expired or will soon, at most once a day. */
  readonly expiring: (certificate: ExpiringCertificate) => void;
  /** Called for each index that the repository of an alternate source lists and does not have. */
  readonly missing: (sourceId: string, url: string) => void;
  /** Called with odd entries of its metadata that are left out: one of them, and their number. */
  readonly leftOut: (sourceId: string, problem: string, count: number) => void;
  /** Called if the catalog cannot note when a source is tried again. */
  readonly unnoted?: (sourceId: string, error: unknown) => void;
}

/**
 * Opens feeds, disks and alternate sources, for the daemon and for commands. `close` ends their
 * connections.
 */
export const openSources = (
  settings: Settings,
  catalog: ChosenCatalog,
  { expiring, missing, leftOut, unnoted, counter = {} }: Watching,
  { places, parts }: { readonly places?: Places; readonly parts?: number } = {},
): OpenSources => {
  const sources = renewable(
    () => sourceSettingsOf(settings),
    (part) => createSources(part, { lends: true }),
  );
  /** Their transfers continue. Unused connections end after `idle_timeout`. */
  const former: Sources[] = [];
  const current: OpenSource = (location, ask) => sources.value.open(location, ask);
  const watched = watchCertificates(current, { warn: expiring, now: Date.now });
  const limited = withLimits(watched.open, {
    ...{ places, parts },
    get timeoutMs() {
      return placeTimeoutOf(settings);
    },
  });
  const open = countBytes(limited, counter);
  // Identities and metadata are collected: their bytes must not change.
  const collected: OpenSource = (location, ask) => flow(open(location, ask), lift(owned()));
  const files = openMetadata(collected, settings);
  const alternates = openAlternates({
    get folder() {
      return settings.contentSourcesDir;
    },
    parse: parseDescriptor,
    catalog,
    store: catalog.store,
    open: collected,
    files,
    get limits() {
      return readerLimitsOf(settings);
    },
    onMissing: ({ id }, url) => missing(id, url),
    onLeftOut: ({ id }, problem, count) => leftOut(id, problem, count),
    onUnnoted: ({ id }, error) => unnoted?.(id, error),
  });
  return {
    open,
    connections: () => sources.value.connections(),
    certificates: watched.certificates,
    files,
    alternates,
    reload: () => {
      const replaced = sources.renew();
      if (replaced) former.push(replaced);
      alternates.reload();
    },
    close: async () => {
      alternates.close();
      await Promise.all([...former, sources.value].map((one) => one.close()));
    },
  };
};
