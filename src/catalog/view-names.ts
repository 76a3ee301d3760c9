import type { KeptRevision, Label, RevisionKey } from './history.ts';

/** A moment or a label that a view is asked for by. Times are milliseconds since 1970. */
export type ViewName =
  | { readonly kind: 'latest' }
  /** The last moment of a day, or an exact one. `from`: the day's first. */
  | { readonly kind: 'moment'; readonly at: number; readonly from: number }
  | { readonly kind: 'label'; readonly name: string };

const LATEST = 'latest';
const DAY = /^\d{4}-\d{2}-\d{2}$/;
const MOMENT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,3})?Z$/;
/** It begins with a letter, so that none looks like a date or a revision. */
const LABEL = /^[A-Za-z][A-Za-z0-9._-]{0,63}$/;

/** What a label may be called. */
export const LABELS_ARE = `a letter, then letters, digits and any of . _ - (at most 64), but not ${LATEST}`;

export const isLabelName = (text: string): boolean => LABEL.test(text) && text !== LATEST;

/** The name of a view; `undefined` if it can be none, such as a date that does not exist. */
export const readViewName = (text: string): ViewName | undefined => {
  if (text === LATEST) return { kind: 'latest' };
  if (isLabelName(text)) return { kind: 'label', name: text };
  if (!DAY.test(text) && !MOMENT.test(text)) return undefined;
  const from = Date.parse(text);
  // Otherwise 30 February would be in March.
  if (Number.isNaN(from) || !text.startsWith(new Date(from).toISOString().slice(0, 10))) return undefined;
  return { kind: 'moment', from, at: DAY.test(text) ? from + 86_400_000 - 1 : from };
};

/** What a view shows of a repository. */
export type Resolved =
  /** What it shows at present, as without a view. */
  | { readonly kind: 'present' }
  /** `fixed`: it will always show the same. */
  | { readonly kind: 'revisions'; readonly revisions: readonly KeptRevision[]; readonly fixed: boolean }
  | { readonly kind: 'unknown'; readonly reason: string };

/** What is known of a repository's revisions, and the present time in milliseconds since 1970. */
export interface Known {
  readonly revisions: readonly KeptRevision[];
  readonly labels: readonly Label[];
  readonly now: number;
}

/** Milliseconds after which no revision of a moment can be on its way to readers: some clocks differ. */
const SETTLED = 300_000;

/** Of each importer the last revision: those of a clock that was set back overlap. */
const lastOfEach = (revisions: readonly KeptRevision[]): readonly KeptRevision[] =>
  revisions.filter((one) => !revisions.some((other) => isOfSame(one, other) && other.revision > one.revision));

const isOfSame = (one: RevisionKey, other: RevisionKey): boolean =>
  one.importerId === other.importerId && one.prefix === other.prefix;

/**
 * What a name shows: of each importer the revision that was the present one at that moment, or that
 * the label names. A day that is not over shows what is there now.
 */
export const resolveView = (text: string, { revisions, labels, now }: Known): Resolved => {
  const name = readViewName(text);
  const unknown = (reason: string): Resolved => ({ kind: 'unknown', reason });
  if (!name) return unknown('expected latest, a label, a date (2026-11-20) or a time (2026-11-20T12:00:00Z), in UTC');
  if (name.kind === 'latest') return { kind: 'present' };
  if (name.kind === 'label') {
    const named = labels.filter((one) => one.name === name.name);
    const found = revisions.filter((one) => named.some((label) => isSame(label, one)));
    return found.length > 0 ? { kind: 'revisions', revisions: found, fixed: false } : unknown('no label has this name');
  }
  if (name.from > now) return unknown('it is in the future');
  if (name.at > now) return { kind: 'present' };
  const found = lastOfEach(
    revisions.filter(
      ({ published, superseded = Number.POSITIVE_INFINITY }) =>
        published * 1000 <= name.at && name.at < superseded * 1000,
    ),
  );
  return found.length > 0
    ? { kind: 'revisions', revisions: found, fixed: name.at + SETTLED <= now }
    : unknown('no revision of that time is kept');
};

export const isSame = (one: RevisionKey, other: RevisionKey): boolean =>
  one.revision === other.revision && isOfSame(one, other);

export const toTime = (seconds: number): string => new Date(seconds * 1000).toISOString();

/** Names and times that a message lists. */
const SHOWN = 10;

/** What there is instead, for a message. */
export const describeKnown = ({ revisions, labels }: Pick<Known, 'revisions' | 'labels'>): string => {
  const names = [...new Set(labels.map(({ name }) => name))];
  const times = revisions.map(
    ({ published, superseded }) => `${toTime(published)} to ${superseded === undefined ? 'now' : toTime(superseded)}`,
  );
  const list = (all: readonly string[]) =>
    `${all.slice(-SHOWN).join(', ')}${all.length > SHOWN ? ` and ${all.length - SHOWN} more` : ''}`;
  return [
    'there is latest',
    ...(names.length > 0 ? [`the labels ${list(names)}`] : []),
    ...(times.length > 0 ? [`revisions of ${list(times)}`] : []),
  ].join(', ');
};
