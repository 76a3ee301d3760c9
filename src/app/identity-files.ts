import { X509Certificate } from 'node:crypto';
import { keyOf, type SettingName } from '../config/schema.ts';
import { readPlainFileSync } from '../lib/read-plain-file.ts';
import { codeOf, messageOf } from '../lib/thrown.ts';

/** Loaded when needed. Imported, it would make all its exports at once: parsing the root certificates takes 20 ms. */
const tls = () => process.getBuiltinModule('node:tls');

/** A PEM file, and the setting that names it; an empty name stands for no file. */
type PemFile = readonly [setting: SettingName, file: string];

/**
 * The client certificate and key shown to a server, and the authorities that its own certificate
 * may come from.
 */
export interface IdentityFiles {
  readonly ca: PemFile;
  readonly cert: PemFile;
  readonly key: PemFile;
}

/**
 * The problems of PEM files, named by their settings: unreadable, not PEM, or a key that belongs to
 * another certificate.
 */
export const identityProblems = ({ ca, cert, key }: IdentityFiles): readonly string[] => {
  const problems: string[] = [];
  /** The file's text, unless `use` throws. */
  const tried = ([setting, file]: PemFile, expected: string, use: (text: string) => unknown): string | undefined => {
    if (file === '') return undefined;
    const problem = (why: string) => problems.push(`${keyOf(setting)}: ${file}: expected ${expected} (PEM); ${why}`);
    let text: string;
    try {
      text = readPlainFileSync(file);
    } catch (error) {
      const code = codeOf(error);
      problem(
        `found ${code === 'ENOENT' ? 'no such file' : `a file that cannot be read (${code || messageOf(error)})`}`,
      );
      return undefined;
    }
    try {
      use(text);
      return text;
    } catch (error) {
      problem(`found something else (${messageOf(error)})`);
      return undefined;
    }
  };
  tried(ca, 'certificates of authorities', (text) => new X509Certificate(text));
  const certificate = tried(cert, 'a certificate', (text) => tls().createSecureContext({ cert: text }));
  tried(key, 'a private key without a passphrase, of the certificate', (text) =>
    tls().createSecureContext({ key: text, cert: certificate }),
  );
  return problems;
};

/**
 * The texts of files, by which a reload knows that one was replaced. What cannot be read is another
 * check's finding: it counts as empty, as do folders of authorities.
 */
export const textsOf = (files: readonly string[]): readonly string[] =>
  files.map((file) => {
    try {
      return file === '' ? '' : readPlainFileSync(file);
    } catch {
      return '';
    }
  });
