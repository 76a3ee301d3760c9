import { fileURLToPath } from 'node:url';
import { defer, firstValueFrom, from, mergeMap, throwError, timeout, toArray } from 'rxjs';
import { type Access, type OpenSource, StreamError, timeOfHttpDate } from '../../../pipelines/model/index.ts';
import { OPEN } from '../../../pipelines/operators/valve.ts';
import { sourceAccess } from '../../alternates/access.ts';
import { CATALOGERS } from '../../alternates/catalogers/index.ts';
import { openDescriptors } from '../../alternates/descriptors/folder.ts';
import type { AlternateSource, Descriptors } from '../../alternates/descriptors/parse.ts';
import { parseDescriptor } from '../../config/ini.ts';
import type { Settings } from '../../config/schema.ts';
import { maskUrl } from '../../lib/mask.ts';
import { messageOf } from '../../lib/thrown.ts';
import { sourcesOf } from '../from-settings.ts';
import { type Trial, trying } from './trial.ts';

/** A URL at a source, and how the source is approached. */
export interface Place {
  readonly what: string;
  readonly url: string;
  /** Whether the source must have it; otherwise any answer shows that the source is there. */
  readonly mustBeThere: boolean;
  /** Rejects if the source cannot be approached. */
  readonly access: () => Promise<Access>;
  /** For `file:` URLs: the folder that the file must lie in. */
  readonly root?: string;
}

/** The trial of a place. */
export interface PlaceTrial extends Trial {
  /** The credentials that the source was asked with; absent if they are not known. */
  readonly access?: Access;
  /** Milliseconds that its clock is ahead of this one; absent if it stated no time. */
  readonly ahead?: number;
}

/** Places that are asked at a time. */
const CONCURRENCY = 8;

/**
 * Asks feeds, and the alternate sources that descriptors describe, for the beginning of one file
 * each.
 */
export const tryFeeds = async (settings: Settings, feeds: readonly Place[]): Promise<readonly PlaceTrial[]> => {
  const sources = sourcesOf(settings);
  try {
    const { sources: alternates, problems } = await descriptorsIn(settings.contentSourcesDir);
    const accessOf = sourceAccess(CATALOGERS, sources.open, Date.now);
    const places = [
      ...feeds,
      ...alternates.flatMap((source) => placesOf(source, () => firstValueFrom(accessOf(source)))),
    ];
    const timeoutMs = settings.headTimeout;
    const trials = await firstValueFrom(
      from(places).pipe(
        mergeMap((place) => tryPlace(place, sources.open, timeoutMs), CONCURRENCY),
        toArray(),
      ),
    );
    return [...problems.map((problem) => ({ what: 'alternate sources', problem })), ...trials];
  } finally {
    await sources.close();
  }
};

const descriptorsIn = async (folder: string): Promise<Descriptors> => {
  const { descriptors, close } = openDescriptors({
    folder,
    parse: parseDescriptor,
    types: CATALOGERS.map(({ type }) => type),
  });
  try {
    return await firstValueFrom(descriptors);
  } finally {
    close();
  }
};

/** A file that every source of a type has. */
const INDICES: Readonly<Record<string, string>> = {
  yum: 'repodata/repomd.xml',
  rhui: 'repodata/repomd.xml',
  files: 'PULP_MANIFEST',
  deb: 'Release',
};

/** One place for each path of a source: each has a separate index. */
const placesOf = ({ id, type, baseUrl, paths }: AlternateSource, access: Place['access']): Place[] =>
  paths.map((path) => ({
    what: `alternate source ${id}`,
    url: `${baseUrl}${path}${INDICES[type] ?? ''}`,
    // Optional in flat repositories for apt.
    mustBeThere: type !== 'deb',
    access,
    ...(baseUrl.startsWith('file:') && { root: fileURLToPath(baseUrl) }),
  }));

const isAnswer = (error: unknown): error is StreamError =>
  error instanceof StreamError && (error.sourceStatus !== undefined || error.code === 'SOURCE_MISSING');

const tryPlace = async (
  { what, url, mustBeThere, access, root }: Place,
  open: OpenSource,
  timeoutMs: number,
): Promise<PlaceTrial> => {
  let known: Access | undefined;
  let ahead: number | undefined;
  const ask = async (): Promise<string | undefined> => {
    known = await access();
    const location = { url, access: known, ...(root !== undefined && { root }) };
    const late = () => new StreamError('HEAD_TIMEOUT', 'feed', `${url} sent no head within ${timeoutMs} ms`);
    try {
      const first = await firstValueFrom(
        defer(() => open(location, { method: 'GET', from: 0 })(OPEN)).pipe(
          timeout({ first: timeoutMs, with: () => throwError(late) }),
        ),
      );
      const [, date = ''] = (first.type === 'head' && first.headers.find(([name]) => /^date$/i.test(name))) || [];
      ahead = (timeOfHttpDate(date) ?? Number.NaN) - Date.now();
      return undefined;
    } catch (error) {
      if (mustBeThere || !isAnswer(error)) throw error;
      return `answers ${error.sourceStatus ?? 'that this file is not there'}`;
    }
  };
  const trial = await trying(`${what}, ${maskUrl(url)}`, ask, (error) => maskUrl(messageOf(error)));
  return { ...trial, ...(known && { access: known }), ...(Number.isFinite(ahead) && { ahead }) };
};
