import { metadataItem, type Repository, type RepositoryItem, type Signatures } from './format.ts';
import { openOptional, readText, type Snapshot } from './read.ts';
import { parseRelease, type Release, withoutSignature } from './release.ts';
import { verify } from './signatures/verify.ts';

/** The names of a suite's entry points. */
export const RELEASE_FILES = ['Release', 'InRelease', 'Release.gpg'] as const;
type Found = Readonly<Partial<Record<(typeof RELEASE_FILES)[number], Snapshot>>>;

/** Reads the Release files of a folder. Yields them; returns what they say, unless there is none. */
export async function* readRelease(
  repository: Repository,
  folder: string,
): AsyncGenerator<RepositoryItem, Release | undefined> {
  const found: Partial<Record<(typeof RELEASE_FILES)[number], Snapshot>> = {};
  for (const name of RELEASE_FILES) {
    const path = `${folder}${name}`;
    const bytes = await openOptional(repository.read(path));
    if (!bytes) continue;
    const file = await readText(path, bytes);
    yield metadataItem(path, file.checksum, file.size);
    found[name] = file;
  }
  const { Release: plain, InRelease: inline } = found;
  if (repository.signatures) return readSigned(repository, repository.signatures, folder, found);
  if (plain) return parseRelease(`${folder}Release`, withoutSignature(plain.text), repository);
  return inline && parseRelease(`${folder}InRelease`, withoutSignature(inline.text), repository);
}

/** The one that is signed. Clients prefer InRelease, too, and judge it alone. */
const readSigned = async (
  repository: Repository,
  { keyring, verified }: Signatures,
  folder: string,
  { InRelease: inline, Release: plain, 'Release.gpg': detached }: Found,
): Promise<Release> => {
  const name = `${folder}${inline ? 'InRelease' : 'Release'}`;
  const signature = inline ? undefined : detached;
  const bytes = inline?.bytes ?? (detached && plain?.bytes);
  if (!bytes)
    throw new Error(
      `${repository.base}${folder}: is not signed, expected InRelease, or Release and Release.gpg, signed by a key of ${keyring}`,
    );
  const {
    text,
    signers,
    until = Number.POSITIVE_INFINITY,
  } = await verify(
    { name, bytes, ...(signature && { signature: { name: `${folder}Release.gpg`, bytes: signature.bytes } }) },
    keyring,
  );
  const release = parseRelease(name, text, repository);
  const date = toSeconds(release.date, `${name}: Date`);
  const validUntil = toSeconds(release.validUntil, `${name}: Valid-Until`) ?? Number.POSITIVE_INFINITY;
  if (validUntil * 1000 <= Date.now())
    throw new Error(`${name}: has expired, Valid-Until is ${release.validUntil}: the feed is outdated`);
  const end = Math.min(until, validUntil);
  verified({ signers, ...(date !== undefined && { date }), ...(Number.isFinite(end) && { until: end }) });
  return release;
};

const toSeconds = (date: string | undefined, where: string): number | undefined => {
  if (date === undefined) return undefined;
  const milliseconds = Date.parse(date);
  if (Number.isNaN(milliseconds)) throw new Error(`${where}: '${date}', expected a date`);
  return milliseconds / 1000;
};
