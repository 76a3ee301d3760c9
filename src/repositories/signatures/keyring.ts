import { readPlainBytes } from '../../lib/read-plain-file.ts';
import { codeOf, messageOf } from '../../lib/thrown.ts';

/** An armoured key (RFC 9580 section 6.2). The group has its header fields, its content and its sum. */
const ARMOURED = /^-----BEGIN PGP PUBLIC KEY BLOCK-----[^\n]*\n(.*?)^-----END PGP PUBLIC KEY BLOCK-----/gms;

/** Where the files of GnuPG's keyboxes have their mark. */
const KEYBOX = { mark: 'KBXf', from: 8, to: 12 };

const contentOf = (armoured: string): Buffer => {
  const lines = armoured.split('\n').map((line) => line.trim());
  return Buffer.from(lines.filter((line) => !line.includes(':') && !line.startsWith('=')).join(''), 'base64');
};

/** Whether it is the file in which GnuPG itself keeps keys. */
export const isKeybox = (bytes: Buffer): boolean => bytes.toString('latin1', KEYBOX.from, KEYBOX.to) === KEYBOX.mark;

/** Every packet begins with a set bit (RFC 9580 section 4.2). */
const areKeys = (bytes: Buffer): boolean => ((bytes[0] ?? 0) & 0x80) !== 0 || isKeybox(bytes);

/**
 * The public keys of a file, binary or armoured, in the form that gpgv takes. Rejects with the reason
 * if it has none.
 */
export const readKeyring = async (file: string): Promise<Buffer> => {
  const bytes = await readPlainBytes(file).catch((error: unknown) => {
    const reason = codeOf(error) === 'ENOENT' ? 'no such file' : messageOf(error);
    throw new Error(`keyring ${file}: ${reason}`, { cause: error });
  });
  const armoured = [...bytes.toString('latin1').matchAll(ARMOURED)].map(([, content = '']) => contentOf(content));
  const keys = armoured.length > 0 ? Buffer.concat(armoured) : bytes;
  if (!areKeys(keys)) throw new Error(`keyring ${file}: has no keys, expected OpenPGP public keys, binary or armoured`);
  return keys;
};
