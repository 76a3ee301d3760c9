import type { Signer } from '../format.ts';

/** What gpgv found. */
export interface Findings {
  /** The keys of the keyring with a good signature. */
  readonly signers: readonly Signer[];
  /** Unix seconds from which none of their signatures counts. */
  readonly until?: number;
  /** What is wrong with the other signatures. */
  readonly faults: readonly string[];
}

/** The lines about one signature: their texts by keyword. */
type Lines = ReadonlyMap<string, string>;

const LINE = /^\[GNUPG:\] ([A-Z_]+) ?(.*)$/;

/** The outcomes of a signature that is not good, of which it has one, and what they mean. */
const OUTCOMES: Readonly<Record<string, (by: string) => string>> = {
  NO_PUBKEY: (by) => `made by ${by}, which is not in the keyring`,
  BADSIG: (by) => `the signature of ${by} does not match: the file was changed after it was signed`,
  EXPSIG: (by) => `the signature of ${by} has expired`,
  EXPKEYSIG: (by) => `${by} has expired`,
  REVKEYSIG: (by) => `${by} was revoked`,
  ERRSIG: (by) => `the signature of ${by} cannot be checked`,
  GOODSIG: (by) => `the digest of the signature of ${by} is too weak`,
};

/**
 * MD5, SHA-1 and RIPEMD-160 (RFC 9580 section 9.5), as apt refuses them. Only those of the file count:
 * many old keys have signed themselves with SHA-1, which gpgv with `--weak-digest` refuses as well.
 */
const WEAK: ReadonlySet<string> = new Set(['1', '2', '3']);

/** Names come with control characters and percent signs as `%XX`. */
const decoded = (name: string): string => {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
};

/** `KEY NAME` of a line. */
const keyAndName = (text: string): readonly [string, string] => {
  const [key = ''] = text.split(' ', 1);
  return [key, decoded(text.slice(key.length + 1))];
};

const split = (text: string): readonly Lines[] => {
  const found: Map<string, string>[] = [];
  for (const line of text.split('\n')) {
    const [, keyword, rest] = LINE.exec(line) ?? [];
    if (keyword === 'NEWSIG') found.push(new Map());
    else if (keyword !== undefined && rest !== undefined) found.at(-1)?.set(keyword, rest);
  }
  return found;
};

const faultOf = (lines: Lines): string => {
  for (const [outcome, describe] of Object.entries(OUTCOMES)) {
    const text = lines.get(outcome);
    if (text === undefined) continue;
    const [key, name] = keyAndName(text);
    const named = outcome !== 'NO_PUBKEY' && outcome !== 'ERRSIG' && name !== '';
    return describe(named ? `key ${key} (${name})` : `key ${key}`);
  }
  return 'a signature cannot be checked';
};

/** Reads the status lines of gpgv: see doc/DETAILS of GnuPG. */
export const readStatus = (text: string): Findings => {
  const signers = new Map<string, Signer>();
  const faults: string[] = [];
  let until = 0;
  for (const lines of split(text)) {
    // Of a key that expired or was revoked, the signature is valid, too, but not good.
    const [good, valid] = [lines.get('GOODSIG'), lines.get('VALIDSIG')];
    const [own = '', , , expires = '0', , , , digest = '', , primary = own] = valid?.split(' ') ?? [];
    if (good === undefined || valid === undefined || WEAK.has(digest)) {
      faults.push(faultOf(lines));
      continue;
    }
    signers.set(primary, { name: keyAndName(good)[1], key: primary });
    // 0 stands for a signature that never expires.
    until = Math.max(until, Number(expires) || Number.POSITIVE_INFINITY);
  }
  return { signers: [...signers.values()], faults, ...(until > 0 && until < Number.POSITIVE_INFINITY && { until }) };
};
