import { messageOf } from '../../lib/thrown.ts';
import type { Signature } from '../format.ts';
import { check } from './gpgv.ts';

/** A file of metadata whose signature is to be checked. */
interface File {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Absent if the signature is around the file's own text. */
  readonly signature?: { readonly name: string; readonly bytes: Uint8Array };
}

/** The signed text, and who signed it. */
interface Verified extends Signature {
  readonly text: string;
}

/** The lines of one clear-signed message (RFC 9580 section 7). In its text, none begins like these. */
const [FIRST, SECOND, LAST] = [
  '-----BEGIN PGP SIGNED MESSAGE-----',
  '-----BEGIN PGP SIGNATURE-----',
  '-----END PGP SIGNATURE-----',
] as const;

/** Clients differ in what they take of a file with anything else in it. */
const isOneMessage = (bytes: Uint8Array): boolean => {
  const text = Buffer.from(bytes).toString('latin1').trimEnd();
  const parts = text.match(/^-----.*$/gm)?.map((line) => line.trimEnd()) ?? [];
  return text.startsWith(FIRST) && text.endsWith(LAST) && parts.join() === [FIRST, SECOND, LAST].join();
};

/**
 * The text of a file that a key of the keyring has signed. Rejects if none has, with what is wrong
 * with each signature.
 */
export const verify = async ({ name, bytes, signature }: File, keyring: string): Promise<Verified> => {
  const refused = (why: string): Error => new Error(`${name}: not signed by a key of ${keyring}: ${why}`);
  if (!signature && !isOneMessage(bytes)) throw refused('it is not one clear-signed message, with nothing around it');
  const detached = signature && { detached: signature.bytes };
  const { signers, until, faults, content } = await check({ content: bytes, ...detached }, keyring).catch(
    (error: unknown) => {
      throw new Error(`${name}: its signature cannot be checked: ${messageOf(error)}`, { cause: error });
    },
  );
  if (signers.length === 0) throw refused(faults.join('; ') || `${signature?.name ?? name} has no OpenPGP signature`);
  return { text: new TextDecoder().decode(content), signers, ...(until !== undefined && { until }) };
};
