import type { UnitKey } from './unit.ts';

/** What a package is called, and how its versions follow one another. */
export interface PackageName {
  /** `NAME` as the metadata has it. */
  readonly name: string;
  /** `NAME.ARCH` of yum, `NAME:ARCHITECTURE` of deb: what a client replaces when it updates. */
  readonly full: string;
}

/** The package of a unit; `undefined` for a unit that is none, such as metadata or an image. */
export const packageOf = (unitTypeId: string, { name, arch, architecture }: UnitKey): PackageName | undefined => {
  if (unitTypeId === 'rpm' || unitTypeId === 'srpm') return { name: `${name}`, full: `${name}.${arch}` };
  return unitTypeId === 'deb' ? { name: `${name}`, full: `${name}:${architecture}` } : undefined;
};

/** Whether units of a type have versions, as far as `packageOf` knows. */
export const isPackage = (unitTypeId: string): boolean => /^(s?rpm|deb)$/.test(unitTypeId);

/** Compares the versions of two units of one package: negative if `a` is older, 0 if they are equal. */
export const compareVersions = (unitTypeId: string, a: UnitKey, b: UnitKey): number =>
  unitTypeId === 'deb' ? compareDeb(`${a.version}`, `${b.version}`) : compareRpm(a, b);

/** By epoch, version and release. */
const compareRpm = (a: UnitKey, b: UnitKey): number =>
  Number(a.epoch) - Number(b.epoch) ||
  compareParts(`${a.version}`, `${b.version}`) ||
  compareParts(`${a.release}`, `${b.release}`);

/**
 * The order of what can follow at one place of two versions (rpm-version(7)): a tilde comes before
 * the end, a caret after it; letters come before digits. Everything else separates.
 */
const rankOf = (part: string | undefined): number => {
  if (part === undefined) return 1;
  if (part === '~') return 0;
  if (part === '^') return 2;
  return /^\d/.test(part) ? 4 : 3;
};

const compareParts = (a: string, b: string): number => {
  const [left, right] = [a, b].map((text) => text.match(/~|\^|\d+|[A-Za-z]+/g) ?? []);
  for (let at = 0; ; at += 1) {
    const [one, two] = [left?.[at], right?.[at]];
    const rank = rankOf(one);
    const order = rank - rankOf(two) || (rank === 4 ? compareNumbers(one, two) : compareTexts(one, two));
    if (order !== 0 || one === undefined) return order;
  }
};

/** Numbers of any length. */
const compareNumbers = (a = '', b = ''): number => {
  const [one, two] = [a, b].map((digits) => digits.replace(/^0+/, ''));
  return (one?.length ?? 0) - (two?.length ?? 0) || compareTexts(one, two);
};

const compareTexts = (a = '', b = ''): number => (a < b ? -1 : Number(a > b));

/** By epoch, upstream version and revision (Debian Policy section 5.6.12). */
const compareDeb = (a: string, b: string): number => {
  const [one, two] = [a, b].map((version) => {
    const [, epoch = '0', rest = ''] = /^(?:(\d+):)?(.*)$/s.exec(version) ?? [];
    const dash = rest.lastIndexOf('-');
    return { epoch, upstream: dash < 0 ? rest : rest.slice(0, dash), revision: dash < 0 ? '' : rest.slice(dash + 1) };
  });
  return (
    compareNumbers(one?.epoch, two?.epoch) ||
    compareInTurn(one?.upstream, two?.upstream) ||
    compareInTurn(one?.revision, two?.revision)
  );
};

/** Texts without digits and numbers take turns. */
const compareInTurn = (a = '', b = ''): number => {
  const [left, right] = [a, b].map((text) => text.split(/(\d+)/));
  for (let at = 0; at < Math.max(left?.length ?? 0, right?.length ?? 0); at += 1) {
    const [one, two] = [left?.[at] ?? '', right?.[at] ?? ''];
    const order = at % 2 === 1 ? compareNumbers(one, two) : compareByWeight(one, two);
    if (order !== 0) return order;
  }
  return 0;
};

/** A tilde comes before the end of a text, the end before letters, and letters before other characters. */
const weightOf = (character: string | undefined): number => {
  if (character === undefined) return 0;
  if (character === '~') return -1;
  return character.charCodeAt(0) + (/[A-Za-z]/.test(character) ? 0 : 256);
};

const compareByWeight = (a: string, b: string): number => {
  for (let at = 0; at < Math.max(a.length, b.length); at += 1) {
    const order = weightOf(a[at]) - weightOf(b[at]);
    if (order !== 0) return order;
  }
  return 0;
};
