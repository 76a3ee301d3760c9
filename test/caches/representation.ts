import type { Version } from './content.ts';
import { fieldOf } from './fields.ts';
import type { Answer } from './response.ts';
import type { Admissible, PassedOff } from './truth.ts';
import { right, type Verdict, wrong } from './verdict.ts';

/** The fields of an answer that are not this version's. */
export const strangers = (answer: Answer, version: Version, passedOff: readonly PassedOff[]): readonly string[] => {
  const { etag, lastModified, type, codings, sha256 } = version;
  const dates = [
    undefined,
    lastModified,
    ...passedOff.filter(({ as }) => as === version).map((other) => other.lastModified),
  ];
  const told = (name: string) => fieldOf(answer, name);
  // Of nothing, nothing needs to be said.
  const isEmpty = (name: string) => version.bytes.length === 0 && told(name) === undefined;
  // Varnish takes the coding from what has no body.
  const coding = answer.body.length === 0 ? [...codings, undefined] : codings;
  const digest = /sha-256=:([^:]*):/.exec(told('repr-digest') ?? '')?.[1];
  const isMultipart = told('content-type')?.startsWith('multipart/');
  return [
    ...(told('etag') === etag || isEmpty('etag') ? [] : ['etag']),
    // A version that replaced another one may come without its date.
    ...(dates.includes(told('last-modified')) ? [] : ['last-modified']),
    ...(type === undefined || isMultipart || told('content-type') === type || isEmpty('content-type')
      ? []
      : ['content-type']),
    ...(coding.includes(told('content-encoding')) ? [] : ['content-encoding']),
    ...(digest === undefined || Buffer.from(digest, 'base64').toString('hex') === sha256 ? [] : ['repr-digest']),
  ];
};

/** Right if the fields are those of one of the versions that the bytes are; what no cache may keep has to say so. */
export const judgeFields = (
  answer: Answer,
  fitting: readonly Admissible[],
  passedOff: readonly PassedOff[] = [],
): Verdict => {
  const judged = fitting.map(({ version, outdated }) => {
    const strange = strangers(answer, version, passedOff);
    const unsaid = outdated && !fieldOf(answer, 'cache-control')?.includes('no-store');
    if (strange.length === 0 && !unsaid) return right(version, outdated);
    if (unsaid) return wrong('body that is over', `an older row's ${version.name}, without no-store`);
    const texts = strange.map((name) => `${name} ${fieldOf(answer, name)}`).join(', ');
    return wrong(strange.includes('etag') ? "another's tag" : "another's fields", `${version.name} with ${texts}`);
  });
  return judged.find(({ kind }) => kind === 'right') ?? judged[0] ?? wrong('wrong body', 'no version');
};

/** Where the bytes of a wrong body come from, as far as that can be seen from its beginning and its end. */
export const likeness = (body: Buffer, versions: readonly Version[]): string => {
  const from = (bytes: Buffer) =>
    versions.flatMap((version) => {
      const at = bytes.length === 0 ? -1 : version.bytes.indexOf(bytes);
      return at < 0 ? [] : [`byte ${at} of ${version.name}`];
    })[0] ?? 'elsewhere';
  return `beginning at ${from(body.subarray(0, 16))}, ending with ${from(body.subarray(-16))}`;
};

/** Whether bytes are those of a version from a byte on, or of what its feed passes off as it. */
export const isCut = (bytes: Buffer, first: number, version: Version, passedOff: readonly PassedOff[]): boolean =>
  [version, ...passedOff.filter(({ as }) => as === version)].some(({ bytes: whole }) =>
    whole.subarray(first, first + bytes.length).equals(bytes),
  );

/**
 * Whether bytes are those of a version from a byte on, and then those of another one from the same place on: a feed without entity tags was
 * asked for the rest after its content was replaced. Only the checksum can tell, and only in the end.
 */
export const isContinued = (bytes: Buffer, first: number, version: Version, others: readonly Version[]): boolean => {
  const truth = version.bytes.subarray(first, first + bytes.length);
  const at = bytes.findIndex((byte, index) => byte !== truth[index]);
  return others.some(({ bytes: whole }) => whole.subarray(first + at, first + bytes.length).equals(bytes.subarray(at)));
};
