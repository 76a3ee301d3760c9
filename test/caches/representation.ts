import type { Version } from './content.ts';
import { fieldOf } from './fields.ts';
import type { Answer } from './response.ts';
import type { Admissible, PassedOff } from './truth.ts';
import { right, type Verdict, wrong } from './verdict.ts';

/** The names of the fields that do not belong to this version. */
export const wrongFields = (answer: Answer, version: Version, passedOff: readonly PassedOff[]): readonly string[] => {
  const { etag, lastModified, type, codings, sha256 } = version;
  const dates = [
    undefined,
    lastModified,
    ...passedOff.filter(({ as }) => as === version).map((other) => other.lastModified),
  ];
  const stated = (name: string) => fieldOf(answer, name);
  // A field may be missing if the content is empty.
  const isEmpty = (name: string) => version.bytes.length === 0 && stated(name) === undefined;
  // The catalog, which answers HEAD, does not know the type (RFC 9110 section 9.3.2).
  const unasked = answer.body.length === 0 ? [undefined] : [];
  // Varnish removes the coding of an answer without a body.
  const coding = answer.body.length === 0 ? [...codings, undefined] : codings;
  const digest = /sha-256=:([^:]*):/.exec(stated('repr-digest') ?? '')?.[1];
  const isMultipart = stated('content-type')?.startsWith('multipart/');
  return [
    ...(stated('etag') === etag || isEmpty('etag') ? [] : ['etag']),
    // A version that replaced another one may have no date.
    ...(dates.includes(stated('last-modified')) ? [] : ['last-modified']),
    ...(type === undefined || isMultipart || [type, ...unasked].includes(stated('content-type'))
      ? []
      : ['content-type']),
    ...(coding.includes(stated('content-encoding')) ? [] : ['content-encoding']),
    ...(digest === undefined || Buffer.from(digest, 'base64').toString('hex') === sha256 ? [] : ['repr-digest']),
  ];
};

/**
 * Right if the fields belong to one of the versions that the bytes fit. Content that no cache may keep
 * must be `no-store`.
 */
export const judgeFields = (
  answer: Answer,
  fitting: readonly Admissible[],
  passedOff: readonly PassedOff[] = [],
): Verdict => {
  const judged = fitting.map(({ version, outdated }) => {
    const wrongOnes = wrongFields(answer, version, passedOff);
    const isCacheable = outdated && !fieldOf(answer, 'cache-control')?.includes('no-store');
    if (wrongOnes.length === 0 && !isCacheable) return right(version, outdated);
    if (isCacheable) return wrong('expired body', `an older row's ${version.name}, without no-store`);
    const texts = wrongOnes.map((name) => `${name} ${fieldOf(answer, name)}`).join(', ');
    return wrong(wrongOnes.includes('etag') ? 'wrong tag' : 'wrong fields', `${version.name} with ${texts}`);
  });
  return judged.find(({ kind }) => kind === 'right') ?? judged[0] ?? wrong('wrong body', 'no version');
};

/** The origin of the bytes of a wrong body, judged by its beginning and its end. */
export const likeness = (body: Buffer, versions: readonly Version[]): string => {
  const from = (bytes: Buffer) =>
    versions.flatMap((version) => {
      const at = bytes.length === 0 ? -1 : version.bytes.indexOf(bytes);
      return at < 0 ? [] : [`byte ${at} of ${version.name}`];
    })[0] ?? 'elsewhere';
  return `beginning at ${from(body.subarray(0, 16))}, ending with ${from(body.subarray(-16))}`;
};

/**
 * Whether bytes are those of a version from a byte on, or of the content that its feed has instead.
 */
export const isCut = (bytes: Buffer, first: number, version: Version, passedOff: readonly PassedOff[]): boolean =>
  [version, ...passedOff.filter(({ as }) => as === version)].some(({ bytes: whole }) =>
    whole.subarray(first, first + bytes.length).equals(bytes),
  );

/**
 * Whether bytes are those of a version from a byte on, then those of another one from the same place
 * on. This happens if a feed without entity tags is asked for the rest after its content was replaced.
 * Only the checksum can detect it, and only at the end.
 */
export const isContinued = (bytes: Buffer, first: number, version: Version, others: readonly Version[]): boolean => {
  const truth = version.bytes.subarray(first, first + bytes.length);
  const at = bytes.findIndex((byte, index) => byte !== truth[index]);
  return others.some(({ bytes: whole }) => whole.subarray(first + at, first + bytes.length).equals(bytes.subarray(at)));
};
