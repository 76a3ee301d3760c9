import { catchError, filter, from, of, takeUntil, tap, throwError } from 'rxjs';
import {
  type CatalogEntry,
  type Chunk,
  type Conditions,
  field,
  flow,
  fuse,
  type Head,
  isOwnCoding,
  type OpenSource,
  operate,
  type Policy,
  type SourceEvent,
  type SourceHead,
  StreamError,
  type StreamEvent,
  type Validators,
} from '../../pipelines/index.ts';
import { type MetadataFiles, metadataFiles } from '../catalog/metadata-files.ts';
import type { Settings } from '../config/schema.ts';
import { maskUrl } from '../lib/mask.ts';
import { parseUrl } from '../lib/url.ts';
import { BOUNDS } from '../repositories/bounds.ts';
import { type Expected, type FileState, METADATA, type OpenFiles } from '../repositories/format.ts';
import type { Limits } from '../repositories/reader/guard.ts';
import { readBytes } from '../sources/bytes.ts';
import { placesOf } from '../sources/feed/mirrors.ts';
import { hostOf } from '../sources/holder.ts';
import { withLimits } from '../sources/source-limits.ts';
import { composeLending } from './compose.ts';
import { graceOf, healthOf, policyOf, readerLimitsOf, sourcesOf } from './from-settings.ts';
import { type Probe, prober } from './probe.ts';
import { metadataFolder } from './state-folder.ts';
import { steadyClock } from './steady-clock.ts';

/** No client waits for metadata, and it is read as fast as it can be stored. */
const PATIENCE = {
  answerTimeout: 600_000,
  headTimeout: 60_000,
  readTimeout: 60_000,
  retryWaitLimit: 120_000,
  clientTimeout: 0,
  sizeLimit: 0,
  hedge: false,
} satisfies Partial<Policy>;

/** The feeds of repositories, as commands use them. */
export interface Repositories {
  readonly files: OpenFiles;
  readonly probe: Probe;
  /** Where their metadata is kept. */
  readonly kept: MetadataFiles;
  /** Seconds for which files stay that a new revision does not have. */
  readonly grace: number;
  /** Seconds for which revisions are kept that are superseded. */
  readonly keepRevisions: number;
  /** What the process that reads one may take. */
  readonly limits: Limits;
  /** Ends all connections. */
  close(): Promise<void>;
}

/** Opens the feeds of repositories as the daemon does. */
export const openRepositories = (settings: Settings): Repositories => {
  const sources = sourcesOf(settings, { lends: true });
  const open = withLimits(sources.open, { timeoutMs: PATIENCE.headTimeout });
  return {
    files: openMetadata(open, settings),
    probe: prober(open),
    kept: metadataFiles(metadataFolder(settings)),
    grace: graceOf(settings),
    keepRevisions: settings.keepRevisions / 1000,
    limits: readerLimitsOf(settings),
    close: sources.close,
  };
};

/**
 * Reads the metadata of repositories through the pipeline of all content: an attempt that fails is
 * repeated, as `Retry-After` says; a body that breaks off is resumed or taken from another mirror. A
 * file with a checksum is verified on the way. A file without one is missing if one mirror does not
 * have it and no other can be asked: few repositories have all optional files.
 *
 * @param open enforces the limits of sources: see `withLimits`
 */
export const openMetadata = (open: OpenSource, settings: Settings): OpenFiles => {
  // A mirror that fails comes last for the files that follow.
  const health = healthOf(settings, steadyClock);
  return (access, { root, until } = {}) =>
    (url, expected, state) => {
      const entry = entryOf(url, expected);
      const candidates = placesOf(url, access).map((place) => ({
        entry,
        source: { kind: 'feed', id: hostOf(place.url) },
        ...place,
        ...(root !== undefined && { root }),
      }));
      const streamer = composeLending({
        catalog: { lookup: () => of(entry) },
        sources: [() => from(candidates)],
        open: (location, ask) =>
          flow(
            open(location, { ...ask, decodes: (head) => ask.decodes?.(head) || isCoded(entry, head) }),
            expected?.checksum ? fuse() : refusingPages(location.url),
          ),
        policy: {
          ...policyOf(settings),
          ...PATIENCE,
          ...(expected?.size === undefined && { sizeLimit: BOUNDS.fetched }),
        },
        health,
      });
      return readBytes((valve) => {
        const conditions = conditionsOf(state?.unless);
        let missing: StreamError | undefined;
        const chunks = streamer.fetch(entry.path, { valve, save: false, ...(conditions && { conditions }) }).pipe(
          tap((event) => {
            if (event.type === 'failed' && isAbsence(event)) missing = event.error;
            if (event.type !== 'head') return;
            missing = undefined;
            state?.found(stateOf(event, state));
          }),
          catchError((error) => throwError(() => (expected?.checksum ? error : (missing ?? error)))),
          filter(isChunk),
        );
        return until ? chunks.pipe(takeUntil(until)) : chunks;
      });
    };
};

/** Servers that have no such file may answer 200 with a page about it, or with one to log in at. */
const refusingPages = (url: string) =>
  operate<SourceEvent, SourceEvent>((out) => {
    let begun = false;
    return {
      next: (event) => {
        if (event.type === 'chunk' && !begun) {
          begun = true;
          if (/^\s*<(!doctype html|html)\b/i.test(Buffer.from(event.bytes).toString('latin1', 0, 512)))
            throw new StreamError('SOURCE_MISSING', 'feed', `${maskUrl(url)} is an HTML page, not metadata`);
        }
        out.next(event);
      },
    };
  });

/** The entity tag decides if there is one. */
const conditionsOf = ({ etag, lastModified }: Validators = {}): Conditions | undefined => {
  if (etag !== undefined) return { ifNoneMatch: [etag] };
  return lastModified === undefined ? undefined : { ifModifiedSince: Date.parse(lastModified) };
};

const stateOf = ({ status, headers }: Head, { unless = {} }: FileState): Validators => {
  if (status === 304) return unless;
  const [etag, lastModified] = [field(headers, 'etag'), field(headers, 'last-modified')];
  return { ...(etag !== undefined && { etag }), ...(lastModified !== undefined && { lastModified }) };
};

const isAbsence = ({ error, phase }: Extract<StreamEvent, { type: 'failed' }>): boolean =>
  error.code === 'SOURCE_MISSING' && phase === 'before-head';

const isChunk = (event: StreamEvent): event is Chunk => event.type === 'chunk';

/** The file as an entry of a catalog. */
const entryOf = (url: string, expected: Expected = {}): CatalogEntry => ({
  path: parseUrl(url)?.pathname ?? '/',
  importerId: '',
  unitId: '',
  unitTypeId: METADATA,
  url,
  revision: 0,
  data: {},
  ...expected,
});

/** Whether a body is coded unasked. If the size is known, the pipeline itself decides. */
const isCoded = ({ path, size }: CatalogEntry, head: SourceHead): boolean => {
  const coding = field(head.headers, 'content-encoding')?.trim() ?? '';
  return size === undefined && head.from === 0 && /^(x-)?gzip$/i.test(coding) && !isOwnCoding(path, coding);
};
