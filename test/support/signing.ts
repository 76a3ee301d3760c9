import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll } from '@jest/globals';

export const SIGNING_TOOLS = ['gpg', 'gpgv', 'gpgconf'] as const;

/** A real key, in a home of its own. */
export interface TestKey {
  /** The fingerprint. */
  readonly fingerprint: string;
  /** The name of its user. */
  readonly name: string;
  /** The file of its public key: binary, armoured or a keybox. */
  readonly keyring: string;
  readonly armoured: string;
  readonly keybox: string;
}

interface SignOptions {
  /** The time of signing: 20200101T000000. */
  readonly at?: string;
  readonly args?: readonly string[];
}

interface KeyOptions extends SignOptions {
  /** How long the key lasts. Default: for ever. */
  readonly lasts?: string;
}

/** Makes keys and signatures with GnuPG, whose agents are ended after the test file. */
export const signing = (newFolder: () => string) => {
  const homes: string[] = [];
  afterAll(() => {
    for (const home of homes) execFileSync('gpgconf', ['--homedir', home, '--kill', 'all']);
  });
  let home: string | undefined;
  const gpg = (args: readonly string[], input?: string | Uint8Array, at?: string): Buffer => {
    if (home === undefined) {
      home = join(newFolder(), 'gpg');
      mkdirSync(home, { mode: 0o700 });
      homes.push(home);
    }
    const time = at === undefined ? [] : ['--faked-system-time', `${at}!`];
    const common = ['--homedir', home, '--batch', '--yes', '--pinentry-mode', 'loopback', '--passphrase', ''];
    return execFileSync('gpg', [...common, ...time, ...args], { input, stdio: ['pipe', 'pipe', 'pipe'] });
  };

  const makeKey = (name: string, { lasts = 'never', at, args = [] }: KeyOptions = {}) => {
    gpg([...args, '--quick-gen-key', name, 'ed25519', 'sign', lasts], undefined, at);
    const listed = gpg(['--with-colons', '--list-keys', `=${name}`]).toString();
    const [, fingerprint = ''] = /^fpr:+([0-9A-F]{40}):/m.exec(listed) ?? [];
    const file = (suffix: string) => join(newFolder(), `key.${suffix}`);
    const key: TestKey = { fingerprint, name, keyring: file('gpg'), armoured: file('asc'), keybox: file('kbx') };
    writeFileSync(key.keyring, gpg(['--export', fingerprint]));
    writeFileSync(key.armoured, gpg(['--armor', '--export', fingerprint]));
    execFileSync(
      'gpg',
      [
        ...['--homedir', home ?? '', '--batch', '--no-default-keyring', '--primary-keyring', key.keybox],
        ...['--import', key.keyring],
      ],
      { stdio: 'ignore' },
    );
    return key;
  };

  const by = (keys: readonly TestKey[]) => keys.flatMap(({ fingerprint }) => ['--local-user', fingerprint]);
  /** Revokes a key, also in its keyring. */
  const revoke = ({ fingerprint, keyring }: TestKey): void => {
    const made = readFileSync(join(home ?? '', 'openpgp-revocs.d', `${fingerprint}.rev`), 'utf8');
    // GnuPG keeps it from being imported by accident.
    gpg(['--import'], made.replace(/^:-----/m, '-----'));
    writeFileSync(keyring, gpg(['--export', fingerprint]));
  };
  return {
    makeKey,
    revoke,
    /** A clear-signed message, as in InRelease. */
    inline: (content: string | Uint8Array, keys: readonly TestKey[], { at, args = [] }: SignOptions = {}): string =>
      gpg([...by(keys), ...args, '--clear-sign'], content, at).toString(),
    /** A signature for a file of its own. */
    detached: (content: string | Uint8Array, keys: readonly TestKey[], { at, args = [] }: SignOptions = {}): string =>
      gpg([...by(keys), ...args, '--armor', '--detach-sign'], content, at).toString(),
  };
};
