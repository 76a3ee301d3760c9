import { type ErrorCode, StreamError } from '../../pipelines/model/errors.ts';
import { maskUrl } from '../lib/mask.ts';
import { messageOf } from '../lib/thrown.ts';
import { type Expected, type ReadFile, VERSION } from '../repositories/format.ts';
import { readText } from '../repositories/read.ts';
import { apart } from '../repositories/reader/apart.ts';

/** A list of mirrors, as it is now. */
export interface MirrorList {
  /** The URLs of the mirrors, best first, each with a slash at its end. */
  readonly bases: readonly [string, ...string[]];
  /** The versions of `repomd.xml` that mirrors may have, the present one first. Empty if it states none. */
  readonly versions: readonly Expected[];
}

const EXPECTED = 'expected a metalink, or a URL (http, https) a line; a token that each request needs is --query-token';

export const readMirrorList = async (read: ReadFile, list: string): Promise<MirrorList> => {
  const bases: string[] = [];
  const versions: Expected[] = [];
  const repository = {
    base: maskUrl(list),
    read: async function* () {
      try {
        yield* read(list);
      } catch (error) {
        if (!(error instanceof StreamError && error.code === 'SOURCE_MISSING')) throw error;
        throw new StreamError(error.code, error.source, `${error.message}; ${EXPECTED}`, { cause: error });
      }
    },
    missing: () => {},
    leftOut: () => {},
    bypassed: () => {},
  };
  for await (const { path, unitTypeId, checksum, size } of apart('mirrors')(repository, {}))
    if (unitTypeId !== VERSION) bases.push(path);
    else if (checksum) versions.push({ checksum, ...(size !== undefined && { size }) });
  const [best, ...others] = bases;
  if (best === undefined) throw new Error(`${maskUrl(list)}: lists no mirrors, ${EXPECTED}`);
  return { bases: [best, ...others], versions };
};

/** Failures of a file that is not the expected version. */
const OTHER: ReadonlySet<ErrorCode> = new Set(['WRONG_CHECKSUM', 'WRONG_LENGTH', 'KNOWN_WRONG']);

interface Listed {
  readonly base: string;
  /** Absent: nothing states its versions. */
  readonly metalink?: string;
}

/**
 * Reads as the other one does, but a repository's `repomd.xml` only in a version that its metalink
 * states: the present one, unless no mirror has it. The metalink is read when that file is.
 */
export const asListed = (read: ReadFile, { base, metalink: list }: Listed): ReadFile =>
  async function* (url, expected, state) {
    if (list === undefined || url !== `${base}repodata/repomd.xml`) return yield* read(url, expected, state);
    const { versions } = await readMirrorList(read, list);
    if (versions.length === 0) return yield* read(url, expected, state);
    let failure: unknown;
    for (const version of versions) {
      try {
        // The whole of it, since another version may follow one that turns out to be wrong.
        const { bytes } = await readText(url, read(url, version));
        return yield bytes;
      } catch (error) {
        if (!(error instanceof StreamError && OTHER.has(error.code))) throw error;
        failure ??= error;
      }
    }
    const [present] = versions;
    throw new Error(
      `${url}: no mirror has a version that ${maskUrl(list)} states, of which the present one has ${present?.checksum?.algorithm} ${present?.checksum?.value}: ${messageOf(failure)}`,
      { cause: failure },
    );
  };
